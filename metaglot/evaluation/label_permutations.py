"""How much the accuracy on a task changes when its labels are permuted."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaglot.core.learners.meta_learner import scores_after
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.core.tasks.random_streams import RandomStream, stream_generator
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.trained_network import TrainedNetwork

PERMUTATIONS = 20


def permuted_tasks(tasks: int, steps: int | None) -> int:
    """How many of the first test tasks are permuted: 200 of 10,000, or 80 where they cost as much as all the others.

    Tasks are scored after ten steps at least, permuted ones after `steps`; steps is None where nothing adapts in steps.
    """
    return max(2, tasks // (50 if steps is not None and steps <= 5 else 125))


@torch.no_grad()
def spread_of_accuracy(trained: TrainedNetwork, tasks: TaskIndices, stream: RandomStream) -> NDArray[np.float32]:
    """The standard deviation of each task's transductive accuracy over permutations of its labels, [tasks]."""
    shape = len(tasks), PERMUTATIONS, tasks.characters.shape[1]
    permutations = torch.from_numpy(stream_generator(stream).random(shape).argsort(-1)).to(trained.images.device)
    batches = trained.images.batches(tasks, trained.shots, trained.chunk)
    spreads = []
    for batch, permuted in zip(batches, permutations.split(trained.chunk), strict=True):
        scores = [
            scores_after(trained.algorithm, trained.parameters, relabelled, trained.steps)
            for relabelled in _permute(batch, permuted)
        ]
        spreads.append(torch.stack([score.accuracies for score in scores]).std(0))
    spread: NDArray[np.float32] = torch.cat(spreads).cpu().numpy()
    return spread


def _permute(batch: TaskBatch, permutations: Tensor) -> Iterator[TaskBatch]:
    """The tasks once for each permutation; permutations [tasks, PERMUTATIONS, ways]."""
    for permutation in permutations.unbind(1):
        support_labels, query_labels = (permutation.gather(1, y) for y in (batch.support_labels, batch.query_labels))
        yield TaskBatch(batch.support, support_labels, batch.query, query_labels)
