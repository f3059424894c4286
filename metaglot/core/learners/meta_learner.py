"""The base class of every meta-learner: what it learns, how it is trained, how it adapts to a support set.

An algorithm's own file overrides only what is different in it.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Heads, TaskConfig
from metaglot.core.learners.task_classifier import TaskClassifier, TaskScores, classifier_after, score_classifier
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import RandomStream

MetaParameters = Mapping[str, Tensor]  # what meta-training changes, by name


class MetaLearner(ABC):
    """A meta-learner on a network.

    label: the algorithm's printed name. first_order: whether the derivative of the adaptation is dropped; None
    where that means nothing. takes_first_order: whether params.yaml sets `first_order`. learn2learn_class:
    learn2learn's class of the same algorithm, if it has one. error_tolerance: how far an approximation of the
    second-order term may be from the exact term when training starts, as a fraction of its norm; None for no limit.
    trains_inductively: whether `meta_loss` follows `inductive`. inductive: whether queries are normalised by the
    support set's statistics in training and validation.
    learns_sequences: whether it can learn tasks one after the other by steps, without a reset.
    Settings: the keys of the algorithm's block in params.yaml. unused_settings: the shared ones that it has no use for.
    """

    label: ClassVar[str]
    first_order: bool | None = None
    takes_first_order: ClassVar[bool] = False
    learn2learn_class: ClassVar[str | None] = None
    error_tolerance: float | None = None
    trains_inductively: ClassVar[bool] = True
    inductive = False
    learns_sequences: ClassVar[bool] = False
    Settings: ClassVar[type[AlgorithmSettings]] = AlgorithmSettings
    unused_settings: ClassVar[frozenset[str]] = frozenset()
    settings: AlgorithmSettings

    def __init__(
        self,
        network: FunctionalNetwork,
        fast_lr: float,
        adaptation_steps: int,
        first_order: bool | None = None,
        settings: AlgorithmSettings | None = None,
    ):
        """fast_lr: the inner learning rate on mean cross-entropy. adaptation_steps: inner steps in training.

        settings: an instance of this class's `Settings`, by default with its defaults. Only the algorithm's own
        keys count: those that all algorithms share are resolved into the other arguments and the training config.
        """
        self.network, self.fast_lr, self.adaptation_steps = network, fast_lr, adaptation_steps
        self.settings = settings or self.Settings()
        if self.takes_first_order and first_order is not None:
            self.first_order = first_order

    @classmethod
    def label_and_order(cls, first_order: bool, settings: Any) -> tuple[str, bool | None]:
        """`label` and `first_order` of a run, given params.yaml's `first_order` and the settings."""
        return cls.label, cls.first_order

    @property
    def names(self) -> tuple[str, ...]:
        """The meta-parameters without which no classifier can be made."""
        return self.network.names

    @property
    def patience(self) -> int | None:
        """Validations in a row without a better one after which training stops and keeps the best parameters.

        None trains to the end and keeps the last parameters.
        """
        return None

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        """The meta-parameters at the start, given the network's initial ones and the training characters."""
        return dict(parameters)

    def select_on_validation(
        self, parameters: MetaParameters, accuracy: Callable[[MetaParameters], float]
    ) -> MetaParameters:
        """The meta-parameters that training starts from, chosen by `accuracy` on the validation tasks if need be."""
        return parameters

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        """The meta-batch of one iteration: by default `tasks` tasks of the kind that the test uses."""
        return images.sample_batch(stream, tasks, task)

    def groups(self, batch: TaskBatch) -> list[tuple["MetaLearner", TaskBatch]]:
        """The tasks of a meta-batch in groups, each with the algorithm of its meta-gradient: by default all, and this.

        Every task is in one group; the meta-gradient is the mean over all of them.
        """
        return [(self, batch)]

    def at_progress(self, progress: float) -> Self:
        """This algorithm when this fraction of the training is done, 0 to 1; itself unless something is annealed."""
        return self

    def cuda_graph_key(self, progress: float) -> Hashable | None:
        """Two meta-gradients with the same key run the same operations, so one CUDA graph serves both.

        None where every meta-gradient is different or waits for the device: a CUDA graph is impossible then.
        """
        return "whole training"

    def optimiser(self, parameters: MetaParameters, meta_lr: float) -> torch.optim.Optimizer:
        """The outer optimiser: Adam, as in learn2learn's example."""
        return torch.optim.Adam(parameters.values(), lr=meta_lr, fused=True)

    def meta_lr_factor(self, progress: float) -> float:
        """The factor on meta_lr when this fraction of the training is done."""
        return 1.0

    def approximate_and_exact(self) -> tuple["MetaLearner", "MetaLearner"]:
        """Two variants of this algorithm, whose meta-gradients alignment.csv compares: by default of first order and
        of second order. Not called where `first_order` is None.
        """
        approximate, exact = copy.copy(self), copy.copy(self)
        approximate.first_order, exact.first_order = True, False
        return approximate, exact

    @abstractmethod
    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[TaskClassifier]:
        """Yield the classifier before adaptation, after one step, after two, ...; only one if there are no steps.

        Use each classifier before asking for the next. support [tasks, n, height, width]; labels [tasks, n],
        every class of a task among them.
        """

    def adapt_further(
        self, parameters: MetaParameters, adapted: Any, support: Tensor, labels: Tensor
    ) -> Iterator[TaskClassifier]:
        """As `adapt`, but from where `adapted`, a classifier of the task before, has arrived."""
        raise NotImplementedError(f"{self.label} does not adapt by steps that could go on with another task")

    def learn_sequence(
        self,
        parameters: MetaParameters,
        supports: Iterable[tuple[Tensor, Tensor]],
        steps: int,
        heads: Heads = "one",
    ) -> Iterator[list[TaskClassifier]]:
        """After each task of a sequence, learned from its support set in so many steps, yield the classifiers of all
        tasks so far: the first task's, the second's, ...

        Use them before asking for the next. supports: images and labels of each task, as for `adapt`. heads: one that
        all tasks share, or several: each task begins with the meta-trained one and keeps its own.
        """
        learned: list[Any] = []
        for support, labels in supports:
            if not learned:
                classifiers = self.adapt(parameters, support, labels)
            else:
                last = learned[-1].with_new_head(self.network.fast(parameters)) if heads == "several" else learned[-1]
                classifiers = self.adapt_further(parameters, last, support, labels)
            learned.append(classifier_after(classifiers, steps))
            yield [learned[-1].for_task(earlier, heads) for earlier in learned]

    def meta_loss(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        """The meta-loss of each task, [tasks], differentiable in `parameters`; and the tasks' query scores.

        By default it is the query loss after the last adaptation step.
        """
        scores = scores_after(self, parameters, batch, self.adaptation_steps)
        return scores.losses, TaskScores(scores.losses.detach(), scores.accuracies)

    def meta_gradient(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[list[Tensor], TaskScores]:
        """The gradient of the mean meta-loss over the batch's tasks, in the order of `parameters`."""
        losses, scores = self.meta_loss(parameters, batch)
        return list(torch.autograd.grad(losses.mean(), [*parameters.values()], materialize_grads=True)), scores


def scores_after(algorithm: MetaLearner, parameters: MetaParameters, batch: TaskBatch, steps: int) -> TaskScores:
    """Query losses and accuracies after this many adaptation steps, by the algorithm's protocol."""
    classifiers = algorithm.adapt(parameters, batch.support, batch.support_labels)
    return score_classifier(classifier_after(classifiers, steps), batch, algorithm.inductive)
