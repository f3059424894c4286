"""Meta-learners that adapt by gradient steps on the support set."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import Heads
from metaglot.core.learners.inner_loop import InnerRates, inner_loop
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskClassifier
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, FunctionalNetwork, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput


@dataclass(frozen=True)
class AdaptedNetwork(TaskClassifier):
    """The network with each task's own weights."""

    network: FunctionalNetwork
    fast: TaskWeights
    support: LayerInput

    def __call__(self, query: LayerInput) -> Tensor:
        return self.network(self.fast, query)

    def inductive(self, query: LayerInput) -> Tensor:
        return self.network(self.fast, query, given=self.network.statistics(self.fast, self.support))

    def for_task(self, earlier: Self, heads: Heads) -> Self:
        """This network for an earlier task of its sequence: with that task's support set, and its head if it has one.

        earlier: the network right after that task.
        """
        classifier = replace(self, support=earlier.support)
        return classifier._with_head(earlier.fast) if heads == "several" else classifier

    def with_new_head(self, start: TaskWeights) -> Self:
        """This network with the head of `start`, for the next task of a sequence."""
        return self._with_head(start)

    def _with_head(self, fast: TaskWeights) -> Self:
        return replace(self, fast={**self.fast, HEAD: fast[HEAD], HEAD_BIAS: fast[HEAD_BIAS]})


class GradientBased(MetaLearner):
    """Adapts by gradient steps from shared weights; the meta-loss is the query loss after the last step.

    Finn, Abbeel and Levine 2017, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks",
    equation 1 and algorithm 2.
    """

    learns_sequences = True

    @property
    def second_order(self) -> float:
        """The factor on the derivative of every inner gradient: 1 is exact, 0 first order."""
        return 0.0 if self.first_order else 1.0

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        """The inner learning rate of every parameter that adapts in this step, counted from 0."""
        return dict.fromkeys(self.network.names, self.fast_lr)

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        return self._adapt_from(self.network.fast(parameters), parameters, support, labels)

    def adapt_further(
        self, parameters: MetaParameters, adapted: AdaptedNetwork, support: Tensor, labels: Tensor
    ) -> Iterator[AdaptedNetwork]:
        return self._adapt_from(adapted.fast, parameters, support, labels)

    def _adapt_from(
        self, start: TaskWeights, parameters: MetaParameters, support: Tensor, labels: Tensor
    ) -> Iterator[AdaptedNetwork]:
        images, second_order = self.network.prepare(support), self.second_order if torch.is_grad_enabled() else 0.0
        for fast in inner_loop(self.network, start, lambda i: self.rates(parameters, i), images, labels, second_order):
            yield AdaptedNetwork(self.network, fast, images)
