"""What an inner step adds to a weight matrix of each task, in two thin factors."""

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
