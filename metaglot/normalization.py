"""Batch norm and ReLU of every task at once, with a gradient of the gradient that is worth its time.

PyTorch's batch norm differentiates twice through a long composite of element-wise operations. For one task
and feature, with n rows, r = 1 / sqrt(var + eps), x = (z - mean) r and P u = u - mean(u) - x mean(u x):

    y  = relu(gamma x + beta)
    dz = r gamma P g,   dgamma = sum(g x),   dbeta = sum(g)          where g = dy where y > 0, else 0

and the derivative of these three along (a, b, c) follows by hand, since P is its own adjoint;
`_Gradient.backward` has it.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable


class Statistics(NamedTuple):
    """Mean and biased variance of each feature, [tasks, 1, features]."""

    mean: Tensor
    variance: Tensor


def statistics(z: Tensor) -> Statistics:
    """The statistics of each task's own rows; z [tasks, rows, features]."""
    mean = z.mean(1, keepdim=True)
    centred = z - mean
    return Statistics(mean, centred.mul_(centred).mean(1, keepdim=True))


def norm_relu(z: Tensor, gamma: Tensor, beta: Tensor, eps: float, given: Statistics | None = None) -> Tensor:
    """relu(gamma (z - mean) / sqrt(variance + eps) + beta), differentiable twice.

    z [tasks, rows, features]; gamma, beta [tasks, 1, features]. The statistics are those of each task's rows
    (Ioffe and Szegedy 2015, as PyTorch's `batch_norm` in training), or the `given` ones, which are then
    constants.
    """
    if given is None:
        y: Tensor = _NormReLU.apply(z, gamma, beta, eps)
        return y
    return torch.addcmul(beta, z - given.mean, gamma * (given.variance + eps).rsqrt()).relu()


class _NormReLU(Function):
    @staticmethod
    def forward(ctx: Any, z: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> Tensor:
        x = z - z.mean(1, keepdim=True)
        r = (x * x).mean(1, keepdim=True).add_(eps).rsqrt_()
        x.mul_(r)
        y = torch.addcmul(beta, x, gamma).relu_()
        ctx.save_for_backward(z, gamma, x, r, y)
        return y

    @staticmethod
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        dz, dgamma, dbeta = _Gradient.apply(dy, *ctx.saved_tensors)
        return dz, dgamma, dbeta, None


class _Gradient(Function):
    """(dy, z, gamma) -> (dz, dgamma, dbeta); x, r and y are functions of z that come along ready-made."""

    @staticmethod
    def forward(
        ctx: Any, dy: Tensor, z: Tensor, gamma: Tensor, x: Tensor, r: Tensor, y: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        rows = z.shape[1]
        g = torch.ops.aten.threshold_backward(dy, y, 0)
        dbeta = g.sum(1, keepdim=True)
        dgamma = (g * x).sum(1, keepdim=True)
        scale, mean_gx, mean_g = r * gamma, dgamma / rows, dbeta / rows
        dz = torch.addcmul(-scale * mean_g, g, scale).addcmul_(x, -scale * mean_gx)
        ctx.save_for_backward(scale, x, r, y, g, mean_gx, mean_g)
        return dz, dgamma, dbeta

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor | None, ...]:
        scale, x, r, y, g, mean_gx, mean_g = ctx.saved_tensors
        mean_a = a.mean(1, keepdim=True)
        mean_ax = (a * x).mean(1, keepdim=True)
        mean_a_pg = (a * g).mean(1, keepdim=True) - mean_a * mean_g - mean_ax * mean_gx
        from_g, from_a = b - scale * mean_ax, scale * mean_gx
        along = torch.addcmul(c - scale * mean_a, a, scale).addcmul_(x, from_g)
        mean_e = from_g * mean_g - from_a * mean_a
        mean_ex = from_g * mean_gx - from_a * mean_ax
        dz = torch.addcmul(-r * mean_e, g, r * from_g).addcmul_(a, -r * from_a)
        dz.addcmul_(x, -r * (mean_ex + scale * mean_a_pg))
        ddy = torch.ops.aten.threshold_backward(along, y, 0)
        return ddy, dz, r * mean_a_pg * x.shape[1], None, None, None
