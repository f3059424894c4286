"""How a meta-gradient is computed: every task at once here, task by task in learn2learn, to the same result."""

from typing import Protocol

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import Model, TaskConfig
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskScores
from metaglot.core.tasks.task_sampler import TaskBatch


class Engine(Protocol):
    def meta_gradient(
        self, learned: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        """The gradient of the mean meta-loss, in the order of `learned`; and how each task's queries fared.

        progress: how much of the training is done, 0 to 1.
        """
        ...


class BatchedEngine:
    """The tasks of a meta-batch as one tensor program, at most `chunk` tasks at a time."""

    def __init__(self, algorithm: MetaLearner, chunk: int):
        self.algorithm, self.chunk = algorithm, chunk

    def meta_gradient(
        self, learned: MetaParameters, batch: TaskBatch, progress: float = 0
    ) -> tuple[list[Tensor], TaskScores]:
        algorithm, parts = self.algorithm.at_progress(progress), batch.chunks(self.chunk)
        gradient, outcome = algorithm.meta_gradient(learned, parts[0])
        if len(parts) == 1:
            return gradient, outcome
        total, outcomes = [g * len(parts[0]) for g in gradient], [outcome]
        for part in parts[1:]:
            gradient, outcome = algorithm.meta_gradient(learned, part)
            torch._foreach_add_(total, gradient, alpha=len(part))
            outcomes.append(outcome)
        return [g / len(batch) for g in total], TaskScores(*map(torch.cat, zip(*outcomes, strict=True)))


def default_task_chunk(model: Model, task: TaskConfig, device: torch.device) -> int:
    """Tasks at a time when nobody says: as many as a CPU computes fastest, or as fill a GPU.

    Counted in images, since memory and time go with them.
    """
    images = {"fc": 3200, "conv": 800} if device.type == "cpu" else {"fc": 200_000, "conv": 12_800}
    return max(1, images[model] // (task.ways * (task.shots + task.queries)))
