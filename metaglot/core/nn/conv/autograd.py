"""The convolution, its adjoint (`input_gradient`) and its gradient along the kernels (`weight_gradient`).

All tasks are computed at once. Each is linear in both arguments, and each one's derivatives are the other two, so they
differentiate to any order. Images are [tasks, n, height, width, channels], kernels [tasks, out, in, 3, 3].
"""

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from metaglot.core.nn.conv import cpu_kernels, torch_fallback

_kernels_asked = True  # of the backward pass that runs


@contextmanager
def without_kernels() -> Iterator[None]:
    """For a backward pass, the only one at its time, that asks for no kernel's gradient.

    Autograd tells a Function what requires a gradient, and not what is asked for.
    """
    global _kernels_asked
    before, _kernels_asked = _kernels_asked, False
    try:
        yield
    finally:
        _kernels_asked = before


def convolve(x: Tensor, kernels: Tensor) -> Tensor:
    """x [tasks, n, height, width, in], kernels [tasks, out, in, 3, 3] -> [tasks, n, height', width', out]."""
    y: Tensor = _Convolve.apply(x, kernels)
    return y


def weight_gradient(grad: Tensor, x: Tensor) -> Tensor:
    """The gradient along the kernels: grad [tasks, n, height', width', out], x as above -> [tasks, out, in, 3, 3]."""
    kernels: Tensor = _WeightGradient.apply(grad, x)
    return kernels


def _best(a: Tensor, b: Tensor, width: int) -> ModuleType:
    return cpu_kernels if cpu_kernels.supports(a, b, width) else torch_fallback


class _Convolve(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, kernels: Tensor) -> Tensor:
        ctx.save_for_backward(x, kernels)
        y: Tensor = _best(x, kernels, kernels.shape[1]).convolve(x, kernels)
        return y

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None]:
        x, kernels = ctx.saved_tensors
        for_images, for_kernels = ctx.needs_input_grad
        return (
            _InputGradient.apply(grad, kernels, x.shape) if for_images else None,
            _WeightGradient.apply(grad, x) if for_kernels and _kernels_asked else None,
        )


class _InputGradient(Function):
    """The gradient along the images: grad [tasks, n, height', width', out] -> [tasks, n, height, width, in]."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, kernels: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grad, kernels)
        x: Tensor = _best(grad, kernels, shape[-1]).input_gradient(grad, kernels, shape)
        return x

    @staticmethod
    def backward(ctx: Any, x: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        grad, kernels = ctx.saved_tensors
        for_grad, for_kernels, _ = ctx.needs_input_grad
        return (
            _Convolve.apply(x, kernels) if for_grad else None,
            _WeightGradient.apply(grad, x) if for_kernels else None,
            None,
        )


class _WeightGradient(Function):
    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: Tensor) -> Tensor:
        ctx.save_for_backward(grad, x)
        kernels: Tensor = _best(grad, x, grad.shape[-1]).weight_gradient(grad, x)
        return kernels

    @staticmethod
    def backward(ctx: Any, kernels: Tensor) -> tuple[Tensor | None, Tensor | None]:
        grad, x = ctx.saved_tensors
        for_grad, for_images = ctx.needs_input_grad
        return (
            _Convolve.apply(x, kernels) if for_grad else None,
            _InputGradient.apply(grad, kernels, x.shape) if for_images else None,
        )
