"""What adaptation gives: a classifier for each task of a batch; and the scores of its logits."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from torch import Tensor

from metaglot.core.learners.inner_loop import task_losses
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.tasks.image_store import TaskBatch


class TaskScores(NamedTuple):
    """Query losses and accuracies of a batch of tasks, [tasks] each."""

    losses: Tensor
    accuracies: Tensor


class TaskClassifier(ABC):
    """A classifier for each task of a batch, adapted to the task's support set."""

    @abstractmethod
    def __call__(self, query: LayerInput) -> Tensor:
        """Logits [tasks, m, ways] of query images that are normalised together (transductive batch norm).

        query [tasks, m, height, width], or as `network.prepare` gives it.
        """

    @abstractmethod
    def inductive(self, query: LayerInput) -> Tensor:
        """Logits of each query image on its own: batch norm uses the support set's statistics at each layer."""


def score_queries(logits: Tensor, labels: Tensor) -> TaskScores:
    """logits [tasks, m, ways]; labels [tasks, m]."""
    return TaskScores(task_losses(logits, labels), (logits.argmax(-1) == labels).float().mean(1))


def score_classifier(classifier: TaskClassifier, batch: TaskBatch, inductive: bool) -> TaskScores:
    """Query losses and accuracies; the gradient flows through the support set's statistics too."""
    logits = classifier.inductive(batch.query) if inductive else classifier(batch.query)
    return score_queries(logits, batch.query_labels)


def classifier_after(classifiers: Iterator[TaskClassifier], steps: int) -> TaskClassifier:
    """The classifier after this many steps, or the only one if the algorithm has no steps."""
    *_, classifier = islice(classifiers, steps + 1)
    return classifier
