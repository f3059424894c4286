"""Validation during training: loss, accuracy and gradient alignment, always on the same tasks."""

from dataclasses import dataclass

import torch

from metaglot.core.common.run_records import AlignmentRow
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, scores_after
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.training.gradient_alignment import measure_alignment


@dataclass(frozen=True)
class Validation:
    images: ImageStore
    tasks: TaskIndices
    shots: int
    steps: int  # of adaptation
    chunk: int  # tasks at a time

    @torch.no_grad()
    def loss_and_accuracy(self, algorithm: MetaLearner, parameters: MetaParameters) -> tuple[float, float]:
        """Mean query loss and accuracy after adaptation, by the protocol of training."""
        batches = self.images.batches(self.tasks, self.shots, self.chunk)
        scores = [scores_after(algorithm, parameters, batch, self.steps) for batch in batches]
        losses, accuracies = (torch.cat(parts).double() for parts in zip(*scores, strict=True))
        return losses.mean().item(), accuracies.mean().item()

    def alignment(self, algorithm: MetaLearner, parameters: MetaParameters, iteration: int) -> list[AlignmentRow]:
        batches = self.images.batches(self.tasks, self.shots, self.chunk)
        return measure_alignment(algorithm, parameters, batches, iteration)
