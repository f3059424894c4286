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
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from metaglot.core.nn.layer_inputs import CachedInput, LayerInput, pair_products, product, rows

MOST_PAIRS = 50  # of rows: with more, a matrix of each task's own is faster
MOST_IMAGE_PAIRS = 200  # two drawings have few pixels in common


@dataclass(frozen=True)
class LowRankGradient:
    """G^T H for every task: the gradient of a loss with respect to a weight matrix, in factors."""

    grad: Tensor  # [tasks, n, out], with respect to the layer's outputs
    inputs: Tensor  # [tasks, n, in]
    cached: CachedInput | None = None  # the inputs again, where the layer sees them at every step

    def dense(self, out: Tensor | None = None) -> Tensor:
        """The product itself, [tasks, out, in]; into `out`, if it is given."""
        return torch.matmul(self.grad.mT, self.inputs, out=out)

    def rows_seen_by(self, x: LayerInput) -> Tensor:
        """x @ inputs^T, [tasks, m, n]."""
        if isinstance(x, CachedInput) and self.cached:
            return x.times_rows(self.cached)
        return product(x, self.inputs)

    def total(self) -> Tensor:
        """The sum over the tasks, [out, in]."""
        if self.cached:
            return self.cached.transposed_times(self.grad)
        return self.grad.flatten(0, 1).mT @ self.inputs.flatten(0, 1)

    def times(self, rate: Tensor | float) -> "LowRankGradient | PerWeightUpdate":
        """The update of a step; rate: a scalar, or one for every weight."""
        if isinstance(rate, Tensor) and rate.dim() > 1:
            return PerWeightUpdate(self, rate)
        return LowRankGradient(self.grad * rate, self.inputs, self.cached)

    def plus(self, other: "LowRankGradient") -> "LowRankGradient":
        """The sum, as thin as it can be: on the same inputs (a first layer's) it grows no longer."""
        if self.inputs is other.inputs:
            return LowRankGradient(self.grad + other.grad, self.inputs, self.cached)
        return LowRankGradient(torch.cat([self.grad, other.grad], 1), torch.cat([self.inputs, other.inputs], 1))

    def is_cheaper_than_dense(self) -> bool:
        """Whether it costs a row less than a matrix of the task's own would."""
        _, n, wide = self.inputs.shape
        high = self.grad.shape[2]
        return n * (wide + high) <= wide * high


@dataclass(frozen=True)
class PerWeightUpdate:
    """An update with a rate [out, in] for every weight."""

    gradient: LowRankGradient
    rate: Tensor

    def seen_by(self, x: LayerInput) -> Tensor:
        """x (rate * G^T H)^T, [tasks, m, out], without a matrix for each task."""
        g = self.gradient
        pairs = product(pair_products(x, g.cached or g.inputs), self.rate).unflatten(1, (-1, g.inputs.shape[1]))
        return (pairs * g.grad.unsqueeze(1)).sum(2)

    def is_cheaper_than_dense(self, x: LayerInput) -> bool:
        """Whether x is better multiplied without the matrix."""
        pairs = rows(x).shape[1] * self.gradient.inputs.shape[1]
        return pairs <= (MOST_IMAGE_PAIRS if isinstance(x, CachedInput) and self.gradient.cached else MOST_PAIRS)

    def added_to(self, matrix: Tensor) -> Tensor:
        """[tasks, out, in]; matrix the same, or [out, in]."""
        updated: Tensor = _AddScaled.apply(matrix, self.rate, self.gradient.grad, self.gradient.inputs)
        return updated


class _AddScaled(Function):
    """matrix + rate * grad^T inputs, [tasks, out, in]: one tensor of that size, where autograd would keep four.

    Backward goes task by task, so that what it needs in between stays in the cache.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, rate: Tensor, grad: Tensor, inputs: Tensor) -> Tensor:
        ctx.save_for_backward(rate, grad, inputs)
        ctx.shared = matrix.dim() == 2
        dense = grad.mT @ inputs
        return torch.addcmul(matrix, dense, rate, out=dense)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        rate, grad, inputs = ctx.saved_tensors
        to_rate, to_grad = torch.zeros_like(rate), torch.empty_like(grad)
        to_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[3] else None
        for task, (slope, g, h) in enumerate(zip(above, grad, inputs, strict=True)):
            to_rate.addcmul_(slope, g.mT @ h)
            scaled = slope * rate
            torch.mm(h, scaled.mT, out=to_grad[task])
            if to_inputs is not None:
                torch.mm(g, scaled, out=to_inputs[task])
        return above.sum(0) if ctx.shared else above, to_rate, to_grad, to_inputs


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
