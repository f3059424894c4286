"""How a meta-gradient is computed: every task at once here, task by task in learn2learn, to the same result."""

from typing import Protocol

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import Model, Task
from metaglot.core.learners.meta_learner import Algorithm, Learned, Outcome
from metaglot.core.tasks.task_sampler import Batch


class Engine(Protocol):
    def meta_gradient(self, learned: Learned, batch: Batch, progress: float = 0) -> tuple[list[Tensor], Outcome]:
        """The gradient of the mean meta-loss, in the order of `learned`; and how each task's queries fared.

        progress: how much of the training is done, 0 to 1.
        """
        ...


class Batched:
    """The tasks of a meta-batch as one tensor program, at most `chunk` tasks at a time."""

    def __init__(self, algorithm: Algorithm, chunk: int):
        self.algorithm, self.chunk = algorithm, chunk

    def meta_gradient(self, learned: Learned, batch: Batch, progress: float = 0) -> tuple[list[Tensor], Outcome]:
        algorithm, parts = self.algorithm.at(progress), batch.chunks(self.chunk)
        gradient, outcome = algorithm.meta_gradient(learned, parts[0])
        if len(parts) == 1:
            return gradient, outcome
        total, outcomes = [g * len(parts[0]) for g in gradient], [outcome]
        for part in parts[1:]:
            gradient, outcome = algorithm.meta_gradient(learned, part)
            torch._foreach_add_(total, gradient, alpha=len(part))
            outcomes.append(outcome)
        return [g / len(batch) for g in total], Outcome(*map(torch.cat, zip(*outcomes, strict=True)))


def chunk_of(model: Model, task: Task, device: torch.device) -> int:
    """Tasks at a time when nobody says: as many as a CPU computes fastest, or as fill a GPU.

    Counted in images, since memory and time go with them.
    """
    images = {"fc": 3200, "conv": 800} if device.type == "cpu" else {"fc": 200_000, "conv": 12_800}
    return max(1, images[model] // (task.ways * (task.shots + task.queries)))
