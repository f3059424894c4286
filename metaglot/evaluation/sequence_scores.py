"""The accuracies of a network on sequences of test tasks, which it learns one after the other without a reset."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaglot.core.common.stage_configs import Heads
from metaglot.core.learners.task_classifier import score_queries
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.core.tasks.sequences import batch_of_sequences, tasks_in_order
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.sequence_accuracies import SequenceAccuracies
from metaglot.evaluation.trained_network import TrainedNetwork


@torch.no_grad()
def score_sequences(
    trained: TrainedNetwork, tasks: TaskIndices, length: int, heads: Heads = "one"
) -> Iterator[SequenceAccuracies]:
    """Score sequences of `length` tasks, which follow each other in `tasks`.

    A chunk has as many sequences as an ordinary chunk has tasks: only one task of each is learned or tested at a time.
    """
    at_a_time = trained.chunk * length
    for start in range(0, len(tasks), at_a_time):
        batch = batch_of_sequences(trained.images, tasks[start : start + at_a_time], length, trained.shots)
        yield _score(trained, tasks_in_order(batch), heads)


def _score(trained: TrainedNetwork, tasks: list[TaskBatch], heads: Heads) -> SequenceAccuracies:
    algorithm = trained.algorithm
    shape = len(tasks[0]), len(tasks), len(tasks)
    scores = SequenceAccuracies(np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32))
    supports = [(task.support, task.support_labels) for task in tasks]
    for j, classifiers in enumerate(algorithm.learn_sequence(trained.parameters, supports, trained.steps, heads)):
        for i, (task, classifier) in enumerate(zip(tasks, classifiers, strict=False)):
            query = algorithm.network.prepare(task.query)
            scores.transductive[:, i, j] = _accuracies(classifier(query), task)
            scores.inductive[:, i, j] = _accuracies(classifier.inductive(query), task)
    return scores


def _accuracies(logits: Tensor, task: TaskBatch) -> NDArray[np.float32]:
    accuracies: NDArray[np.float32] = score_queries(logits, task.query_labels).accuracies.cpu().numpy()
    return accuracies
