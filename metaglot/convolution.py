"""A 3x3 convolution of stride 2 whose kernel each task may adapt for itself.

A kernel's gradient is no thin product: there are far more pixels than weights. So an adapted kernel is the task's own,
and tasks are convolved one after the other, images as [n, height, width, channels], the way oneDNN likes them best.
(Cutting out patches and multiplying took a fifth more time, `vmap`'s grouped convolutions twice as much.)

Convolution, its adjoint (`spread`) and its gradient along the kernel (`correlate`) are each linear in both arguments,
and each one's derivatives are the other two: three small functions, differentiable to any order.
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


def _backward(grad: Tensor, x: Tensor, kernel: Tensor, wanted: list[bool]) -> tuple[Tensor, Tensor]:
    grads = torch.ops.aten.convolution_backward(
        grad.permute(0, 3, 1, 2), x.permute(0, 3, 1, 2), kernel, None, STRIDE, PADDING, (1, 1), False, (0, 0), 1, wanted
    )
    return grads[0], grads[1]


class _Convolve(Function):
    """images [n, height, width, in], kernel [out, in, 3, 3] -> [n, height', width', out]."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, kernel: Tensor) -> Tensor:
        ctx.save_for_backward(x, kernel)
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return torch.conv2d(x.permute(0, 3, 1, 2), kernel, None, STRIDE, PADDING).permute(0, 2, 3, 1).contiguous()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, kernel = ctx.saved_tensors
        images, kernels = ctx.needs_input_grad
        return (
            _Spread.apply(grad, kernel, x.shape) if images else None,
            _Correlate.apply(grad, x) if kernels and _kernels_asked else None,
        )


class _Spread(Function):
    """The gradient along the images: grad [n, height', width', out], kernel -> [n, height, width, in]."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, kernel: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grad, kernel)
        kernel = kernel.contiguous(memory_format=torch.channels_last)
        return _backward(grad, grad.new_empty(shape), kernel, [True, False, False])[0].permute(0, 2, 3, 1).contiguous()

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad, kernel = ctx.saved_tensors
        grads, kernels, _ = ctx.needs_input_grad
        return (
            _Convolve.apply(x, kernel) if grads else None,
            _Correlate.apply(grad, x) if kernels else None,
            None,
        )


class _Correlate(Function):
    """The gradient along the kernel: grad [n, height', width', out], images [n, height, width, in] -> the kernel's."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(grad, x)
        kernel = grad.new_empty(grad.shape[3], x.shape[3], SIZE, SIZE).to(memory_format=torch.channels_last)
        return _backward(grad, x, kernel, [False, True, False])[1].contiguous()

    @staticmethod
    def backward(ctx: Any, kernel: Tensor) -> tuple[Tensor | None, Tensor | None]:
        grad, x = ctx.saved_tensors
        grads, images = ctx.needs_input_grad
        return (
            _Convolve.apply(x, kernel) if grads else None,
            _Spread.apply(grad, kernel, x.shape) if images else None,
        )


@dataclass(frozen=True)
class Correlation:
    """The gradient of a loss with respect to each task's kernel, by what it is made of."""

    grad: Tensor  # [tasks, n, height', width', out], with respect to the layer's outputs
    inputs: Tensor  # [tasks, n, height, width, in]

    def dense(self) -> Tensor:
        """[tasks, out, in, 3, 3]."""
        return torch.stack([_Correlate.apply(g, x) for g, x in zip(self.grad, self.inputs, strict=True)])

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
        if self.own is None:
            y: Tensor = _Convolve.apply(x.flatten(0, 1), self.shared)
            return y.unflatten(0, x.shape[:2])
        return torch.stack([_Convolve.apply(images, kernel) for images, kernel in zip(x, self.own, strict=True)])

    def plus(self, update: Tensor) -> "FastKernel":
        return FastKernel(self.shared, self.dense() + update)

    def dense(self) -> Tensor:
        """[tasks, out, in, 3, 3], or [out, in, 3, 3] where no task has learned anything."""
        return self.shared if self.own is None else self.own
