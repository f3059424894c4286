"""Adapting by gradient steps on the support set."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metaglot.core.learners.inner_loop import Rates, steps
from metaglot.core.learners.meta_learner import Algorithm, Classifier, Learned
from metaglot.core.nn.fast_weights import Rows
from metaglot.core.nn.functional_networks import Fast, Network


@dataclass(frozen=True)
class Adapted(Classifier):
    """The network with each task's own weights."""

    network: Network
    fast: Fast
    support: Rows

    def __call__(self, query: Rows) -> Tensor:
        return self.network(self.fast, query)

    def inductive(self, query: Rows) -> Tensor:
        return self.network(self.fast, query, given=self.network.statistics(self.fast, self.support))


class GradientBased(Algorithm):
    """Adapts by gradient steps from shared weights; the meta-loss is that of the query set after the last
    step.

    Finn, Abbeel and Levine 2017, "Model-Agnostic Meta-Learning for Fast Adaptation of Deep Networks",
    equation 1 and algorithm 2.
    """

    counterpart: ClassVar[str | None] = "MAML"

    def rates(self, learned: Learned, step: int) -> Rates:
        """The inner learning rate of every parameter that adapts in a step, counted from 0."""
        return dict.fromkeys(self.network.names, self.fast_lr)

    def classifiers(self, learned: Learned, support: Tensor, labels: Tensor) -> Iterator[Adapted]:
        start, images = self.network.fast(learned), self.network.prepare(support)
        second_order = torch.is_grad_enabled() and not self.first_order
        for fast in steps(self.network, start, lambda i: self.rates(learned, i), images, labels, second_order):
            yield Adapted(self.network, fast, images)
