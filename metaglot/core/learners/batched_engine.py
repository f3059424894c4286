"""The batched engine: the meta-gradient of all tasks of a meta-batch in one tensor program."""

from typing import Protocol

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import Model, TaskConfig
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores
from metaglot.core.tasks.image_store import TaskBatch


class Engine(Protocol):
    def meta_gradient(
        self, parameters: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        """The gradient of the mean meta-loss, in the order of `parameters`; and each task's query scores.

        progress: the fraction of the training that is done, 0 to 1.
        """
        ...


class BatchedEngine:
    """Computes at most `chunk` tasks at a time."""

    def __init__(self, algorithm: MetaLearner, chunk: int):
        self.algorithm, self.chunk = algorithm, chunk

    def meta_gradient(
        self, parameters: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        groups = self.algorithm.at_progress(progress).groups(batch)
        (algorithm, first), *others = ((kind, chunk) for kind, tasks in groups for chunk in tasks.chunks(self.chunk))
        gradient, scores = algorithm.meta_gradient(parameters, first)
        if not others:
            return gradient, scores
        total, all_scores = [g * len(first) for g in gradient], [scores]
        for algorithm, chunk in others:
            gradient, scores = algorithm.meta_gradient(parameters, chunk)
            torch._foreach_add_(total, gradient, alpha=len(chunk))
            all_scores.append(scores)
        return [g / len(batch) for g in total], TaskScores(*map(torch.cat, zip(*all_scores, strict=True)))


def default_task_chunk(model: Model, task: TaskConfig, device: torch.device) -> int:
    """The tasks at a time that `task_chunk: auto` means: the fastest on a CPU, as many as fill a GPU.

    It is counted in images, because time and memory grow with them.
    """
    images = {"fc": 3200, "conv": 800} if device.type == "cpu" else {"fc": 200_000, "conv": 12_800}
    return max(1, images[model] // (task.ways * (task.shots + task.queries)))
