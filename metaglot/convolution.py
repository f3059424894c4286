"""A 3x3 convolution of stride 2 whose kernel each task may adapt for itself.

A kernel's gradient is no thin product: there are far more pixels than weights. So an adapted kernel is the task's own,
and tasks are convolved one after the other, images as [n, height, width, channels], the way oneDNN likes them best.
(Cutting out patches and multiplying took a fifth more time; `vmap`'s grouped convolutions take twice as much with five
shots, and as much with one.)

Convolution, its adjoint (`spread`) and its gradient along the kernels (`correlate`) are each linear in both arguments,
and each one's derivatives are the other two: three small functions of all tasks at once, differentiable to any order.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

SIZE, STRIDE, PADDING = 3, (2, 2), (1, 1)


_kernels_asked = True  # of the backward pass that runs


@contextmanager
def without_kernels() -> Iterator[None]:
    """For a backward pass that asks for no kernel's gradient: autograd does not tell a Function what is asked for."""
    global _kernels_asked
    _kernels_asked = False
    try:
        yield
    finally:
        _kernels_asked = True


def _channels_last(kernels: Tensor) -> Tensor:
    """The same [tasks, out, in, 3, 3], in the order in which a convolution reads them."""
    return kernels.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)


def _stacked(parts: list[Tensor]) -> Tensor:
    """Each task's images [n, channels, height, width], in whatever order -> [tasks, n, height, width, channels]."""
    found = [part.permute(0, 2, 3, 1) for part in parts]
    return found[0].contiguous().unsqueeze(0) if len(found) == 1 else torch.stack(found)


def _backward(grad: Tensor, x: Tensor, kernel: Tensor, wanted: list[bool]) -> tuple[Tensor, Tensor]:
    """A task's gradients along its images and its kernel; of what is not wanted, only the shape counts."""
    found = torch.ops.aten.convolution_backward(
        grad.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), kernel, None, STRIDE, PADDING, (1, 1), False, (0, 0), 1, wanted
    )
    return found[0], found[1]


class _Convolve(Function):
    """images [tasks, n, height, width, in], kernels [tasks, out, in, 3, 3] -> [tasks, n, height', width', out]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(x, kernels)
        tasks = zip(x, _channels_last(kernels), strict=True)
        return _stacked([torch.conv2d(images.permute(0, 3, 1, 2), k, None, STRIDE, PADDING) for images, k in tasks])

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, kernels = ctx.saved_tensors
        for_images, for_kernels = ctx.needs_input_grad
        return (
            _Spread.apply(grad, kernels, x.shape) if for_images else None,
            _Correlate.apply(grad, x) if for_kernels and _kernels_asked else None,
        )


class _Spread(Function):
    """The gradient along the images: grad [tasks, n, height', width', out] -> [tasks, n, height, width, in]."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, kernels: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grad, kernels)
        tasks, images = zip(grad, _channels_last(kernels), strict=True), grad.new_empty(shape[1:])
        return _stacked([_backward(g, images, k, [True, False, False])[0] for g, k in tasks])

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad, kernels = ctx.saved_tensors
        for_grad, for_kernels, _ = ctx.needs_input_grad
        return (
            _Convolve.apply(x, kernels) if for_grad else None,
            _Correlate.apply(grad, x) if for_kernels else None,
            None,
        )


class _Correlate(Function):
    """The gradient along the kernels: grad [tasks, n, height', width', out], images -> [tasks, out, in, 3, 3]."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(grad, x)
        kernel = _channels_last(grad.new_empty(1, grad.shape[-1], x.shape[-1], SIZE, SIZE))[0]
        tasks = zip(grad, x, strict=True)
        return _stacked([_backward(g, images, kernel, [False, True, False])[1] for g, images in tasks]).movedim(-1, 2)

    @staticmethod
    def backward(ctx: Any, kernels: Tensor) -> tuple[Tensor | None, Tensor | None]:
        grad, x = ctx.saved_tensors
        for_grad, for_images = ctx.needs_input_grad
        return (
            _Convolve.apply(x, kernels) if for_grad else None,
            _Spread.apply(grad, kernels, x.shape) if for_images else None,
        )


@dataclass(frozen=True)
class Correlation:
    """The gradient of a loss with respect to each task's kernel, by what it is made of."""

    grad: Tensor  # [tasks, n, height', width', out], with respect to the layer's outputs
    inputs: Tensor  # [tasks, n, height, width, in]

    def dense(self) -> Tensor:
        """[tasks, out, in, 3, 3]."""
        found: Tensor = _Correlate.apply(self.grad, self.inputs)
        return found

    def times(self, rate: Tensor | float) -> Tensor:
        """The update of a step; rate a scalar, or of the kernel's shape."""
        return self.dense() * rate


@dataclass(frozen=True)
class FastKernel:
    """The shared kernel, or once a task has learned anything its own."""

    shared: Tensor  # [out, in, 3, 3]
    own: Tensor | None = None  # [tasks, out, in, 3, 3]

    def __call__(self, x: Tensor) -> Tensor:
        """x [tasks, n, height, width, in] -> [tasks, n, height', width', out]."""
        y: Tensor
        if self.own is not None:
            y = _Convolve.apply(x, self.own)
            return y
        y = _Convolve.apply(x.flatten(0, 1).unsqueeze(0), self.shared.unsqueeze(0))
        return y.squeeze(0).unflatten(0, x.shape[:2])

    def plus(self, update: Tensor) -> "FastKernel":
        return FastKernel(self.shared, self.dense() + update)

    def dense(self) -> Tensor:
        """[tasks, out, in, 3, 3], or [out, in, 3, 3] where no task has learned anything."""
        return self.shared if self.own is None else self.own
