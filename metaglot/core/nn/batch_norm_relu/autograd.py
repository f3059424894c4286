"""Batch norm and ReLU as a function that differentiates twice, and fast.

PyTorch's batch norm differentiates twice through a long composite of element-wise operations. Here the gradient and
the gradient of the gradient are written out: in torch_fallback.py, and for a CPU in cpu_kernels.c.
"""

from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from metaglot.core.nn.batch_norm_relu import cpu_kernels, torch_fallback


class Statistics(NamedTuple):
    """Mean and biased variance of each feature, [tasks, 1, features]."""

    mean: Tensor
    variance: Tensor


class ActiveUnits(NamedTuple):
    """A ReLU passes its input where these outputs of another pass are positive, [tasks, rows, features]."""

    outputs: Tensor


Given = Statistics | ActiveUnits  # what a forward pass takes from another one


def statistics(z: Tensor) -> Statistics:
    """The statistics of each task's own rows, differentiable; z [tasks, rows, features]."""
    mean = z.mean(1, keepdim=True)
    centred = z - mean
    return Statistics(mean, (centred * centred).mean(1, keepdim=True))


def norm_relu(z: Tensor, gamma: Tensor, beta: Tensor, eps: float, given: Given | None = None) -> Tensor:
    """relu(gamma (z - mean) / sqrt(variance + eps) + beta), differentiable twice.

    z [tasks, rows, features]; gamma, beta [tasks, 1, features]. The statistics are those of each task's rows
    (Ioffe and Szegedy 2015, as PyTorch's `batch_norm` in training), or the `given` ones. With given active units the
    ReLU passes these, and no others.
    """
    if isinstance(given, Statistics):
        return torch.addcmul(beta, z - given.mean, gamma * (given.variance + eps).rsqrt()).relu()
    units = given or ()
    by = cpu_kernels if cpu_kernels.supports(z, gamma, beta, *units) else torch_fallback
    y: Tensor = _NormReLU.apply(z, gamma, beta, eps, by, *units)
    return y


class _NormReLU(Function):
    @staticmethod
    def forward(
        ctx: Any, z: Tensor, gamma: Tensor, beta: Tensor, eps: float, by: ModuleType, units: Tensor | None = None
    ) -> Tensor:
        y: Tensor
        y, saved = by.forward(z, gamma, beta, eps, units)
        ctx.save_for_backward(z, gamma, *saved)
        ctx.by = by
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        dz, dgamma, dbeta = _Gradient.apply(ctx.by, dy, *ctx.saved_tensors)
        return dz, dgamma, dbeta, *[None] * (len(ctx.needs_input_grad) - 3)


class _Gradient(Function):
    """(dy, z, gamma) -> (dz, dgamma, dbeta); what was kept of z and gamma comes along ready-made."""

    @staticmethod
    def forward(
        ctx: Any, by: ModuleType, dy: Tensor, z: Tensor, gamma: Tensor, *saved: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        dz, dgamma, dbeta, saved = by.gradient(dy, *saved)
        ctx.save_for_backward(*saved)
        ctx.by = by
        return dz, dgamma, dbeta

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor | None, ...]:
        gradients = ctx.by.double_backward(a, b, c, *ctx.saved_tensors)
        return None, *gradients, *[None] * (len(ctx.needs_input_grad) - 4)
