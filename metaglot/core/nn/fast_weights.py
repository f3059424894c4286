"""Weights that each task has adapted for itself, without a copy of the shared ones for each task.

The gradient of a task's loss with respect to a weight matrix, on n rows, is the product of two thin factors,
so

    x (W - a G^T H)^T = x W^T + (x H^T) (-a G)     H [n, in] the layer's inputs, G [n, out] its outputs' gradient

keeps the large product with W shared by all tasks. It is exact, and differentiable to any order. A rate R for every
weight has the form

    x (R * G^T H)^T = sum over n of (x * h_n) R^T * g_n      h_n, g_n the rows of H and G

whose product with R all tasks share too, but on a row for each pair of rows. It is used while the pairs are few.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from metaglot.core.nn.layer_inputs import LayerInput, product, rows
from metaglot.core.nn.weight_updates import LowRankGradient, PerWeightUpdate


@dataclass(frozen=True)
class TaskLinearWeight:
    """The shared matrix and what each task has learned: thin, or once that is cheaper a matrix of its own."""

    shared: Tensor  # [out, in]
    low_rank: LowRankGradient | None = None  # what is added to it
    per_task: Tensor | None = None  # [tasks, out, in], in place of the shared one
    scaled: PerWeightUpdate | None = None  # what is added to it

    def __call__(self, x: LayerInput) -> Tensor:
        """x [tasks, m, in] -> [tasks, m, out]."""
        if self.per_task is not None:
            return rows(x) @ self.per_task.mT
        if self.scaled and not self.scaled.is_cheaper_than_dense(x):
            return rows(x) @ self.dense().mT
        y = product(x, self.shared)
        if self.scaled:
            return y + self.scaled.seen_by(x)
        return y if self.low_rank is None else torch.baddbmm(y, self.low_rank.rows_seen_by(x), self.low_rank.grad)

    def plus(self, update: LowRankGradient | PerWeightUpdate) -> "TaskLinearWeight":
        """These weights after one more step."""
        if isinstance(update, PerWeightUpdate):
            if self.low_rank is self.per_task is self.scaled is None:
                return TaskLinearWeight(self.shared, scaled=update)
            return TaskLinearWeight(self.shared, per_task=update.added_to(self.dense()))
        if self.per_task is None and self.scaled is None:
            low_rank = update if self.low_rank is None else self.low_rank.plus(update)
            if low_rank.is_cheaper_than_dense():
                return TaskLinearWeight(self.shared, low_rank)
        return TaskLinearWeight(self.shared, per_task=self.dense() + update.dense())

    def dense(self) -> Tensor:
        """[tasks, out, in], or [out, in] where no task has learned anything."""
        if self.per_task is not None:
            return self.per_task
        if self.scaled:
            return self.scaled.added_to(self.shared)
        return self.shared if self.low_rank is None else self.shared + self.low_rank.dense()


@dataclass(frozen=True)
class TaskVector:
    """A bias, scale or shift: small enough for a copy for each task."""

    value: Tensor  # [tasks, 1, features], or [1, 1, features] while all tasks share it

    def plus(self, update: Tensor) -> "TaskVector":
        return TaskVector(self.value + update)

    def dense(self) -> Tensor:
        """[tasks, features], or [1, features] while all tasks share it."""
        return self.value.squeeze(1)

    def for_each(self, tasks: int) -> "TaskVector":
        """One copy for each task, so that each has a gradient of its own."""
        value = self.value.expand(tasks, -1, -1)
        return TaskVector(value.detach().requires_grad_() if value.is_leaf else value)
