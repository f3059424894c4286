"""What every meta-learner has in common: what is learned, how it is trained, and a way to a classifier from a
support set.

An algorithm's own file says what differs in it; the rest is shared and lies here and in the engines.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping
from itertools import islice
from typing import ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, TaskConfig
from metaglot.core.learners.inner_loop import task_losses
from metaglot.core.nn.fast_weights import LayerInput
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.task_sampler import ImageStore, RandomStream, TaskBatch

MetaParameters = Mapping[str, Tensor]  # what meta-training changes, by name


class TaskScores(NamedTuple):
    """Query losses and accuracies of a batch of tasks, [tasks] each."""

    losses: Tensor
    accuracies: Tensor


class TaskClassifier(ABC):
    """What an algorithm makes of one support set for each task."""

    @abstractmethod
    def __call__(self, query: LayerInput) -> Tensor:
        """Logits [tasks, m, ways] of query images that are seen together (transductive batch norm).

        query [tasks, m, height, width], or as `network.prepare` gives it.
        """

    @abstractmethod
    def inductive(self, query: LayerInput) -> Tensor:
        """The same, where no query image sees another: batch norm takes the support set's statistics at each layer."""


class MetaLearner(ABC):
    """A meta-learner on a network.

    label: its name for people. first_order: whether the adaptation's own derivative is dropped, None where
    that means nothing; a class that `takes_first_order` leaves it to whoever makes one. learn2learn_class:
    learn2learn's class of the same algorithm. patience: validations in a row without a better one after which
    training ends, and the best weights are kept; None trains to the end and keeps the last. Settings: the
    keys of its block in params.yaml.
    """

    label: ClassVar[str]
    first_order: bool | None = None
    takes_first_order: ClassVar[bool] = False
    learn2learn_class: ClassVar[str | None] = None
    patience: int | None = None
    Settings: ClassVar[type[AlgorithmSettings]] = AlgorithmSettings

    def __init__(
        self, network: FunctionalNetwork, fast_lr: float, adaptation_steps: int, first_order: bool | None = None
    ):
        """fast_lr: the inner learning rate on mean cross-entropy. adaptation_steps: inner steps in training."""
        self.network, self.fast_lr, self.adaptation_steps = network, fast_lr, adaptation_steps
        if self.takes_first_order and first_order is not None:
            self.first_order = first_order

    @property
    def names(self) -> tuple[str, ...]:
        """Of what is learned: what a classifier cannot be made without."""
        return self.network.names

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        """What is learned, at its start, given the network's initial parameters and the training characters."""
        return dict(parameters)

    def select_on_validation(
        self, learned: MetaParameters, accuracy: Callable[[MetaParameters], float]
    ) -> MetaParameters:
        """What training starts from, where something is chosen by `accuracy` on the validation tasks first."""
        return learned

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        """The meta-batch of an iteration: so many tasks of the kind that it will be tested on."""
        return images.sample_batch(stream, tasks, task)

    def at_progress(self, progress: float) -> Self:
        """This algorithm once so much of its training is done, 0 to 1: itself, unless something is annealed."""
        return self

    def cuda_graph_key(self, progress: float) -> Hashable | None:
        """What tells apart the meta-gradients that are not the same operations on other numbers.

        None where it is another one each time, or waits for the device: what a GPU cannot replay.
        """
        return "all of it"

    def optimiser(self, learned: MetaParameters, meta_lr: float) -> torch.optim.Optimizer:
        """What follows the meta-gradient: Adam, as in learn2learn's example."""
        return torch.optim.Adam(learned.values(), lr=meta_lr, fused=True)

    def meta_lr_factor(self, progress: float) -> float:
        """The factor on meta_lr once so much of the training is done."""
        return 1.0

    @abstractmethod
    def adapt(self, learned: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[TaskClassifier]:
        """The classifier before adapting, after one step, after two, ...; a single one where nothing adapts
        in steps. Each may be used until the next is asked for.

        support [tasks, n, height, width]; labels [tasks, n], every class of a task among them.
        """

    def meta_loss(self, learned: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        """The meta-loss of each task, [tasks], differentiable in `learned`; and how the queries fared.

        That of the query set after the last adaptation step.
        """
        made = self.adapt(learned, batch.support, batch.support_labels)
        found = score_queries(classifier_after(made, self.adaptation_steps)(batch.query), batch.query_labels)
        return found.losses, TaskScores(found.losses.detach(), found.accuracies)

    def meta_gradient(self, learned: MetaParameters, batch: TaskBatch) -> tuple[list[Tensor], TaskScores]:
        """The gradient of the mean meta-loss over the batch's tasks, in the order of `learned`."""
        losses, outcome = self.meta_loss(learned, batch)
        return list(torch.autograd.grad(losses.mean(), [*learned.values()], materialize_grads=True)), outcome


def score_queries(logits: Tensor, labels: Tensor) -> TaskScores:
    """logits [tasks, m, ways]; labels [tasks, m]."""
    return TaskScores(task_losses(logits, labels), (logits.argmax(-1) == labels).float().mean(1))


def classifier_after(classifiers: Iterator[TaskClassifier], steps: int) -> TaskClassifier:
    """The classifier after so many steps, or the only one where nothing adapts in steps."""
    *_, found = islice(classifiers, steps + 1)
    return found
