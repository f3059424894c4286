"""Batch norm and ReLU, its gradient and the gradient of that, in PyTorch's operations: for any device and type.

For one task and feature, with n rows, r = 1 / sqrt(var + eps), x = (z - mean) r and P u = u - mean(u) - x mean(u x):

    y  = relu(gamma x + beta)
    dz = r gamma P g,   dgamma = sum(g x),   dbeta = sum(g)          where g = dy where y > 0, else 0

and the derivative of these three along (a, b, c) follows by hand, since P is its own adjoint. z, y, dy, a are [tasks,
rows, features]; gamma, beta, b, c [tasks, 1, features]. Each function returns its results and what the next one takes.
"""

import torch
from torch import Tensor

Saved = tuple[Tensor, ...]


def forward(z: Tensor, gamma: Tensor, beta: Tensor, eps: float, units: Tensor | None = None) -> tuple[Tensor, Saved]:
    """y; with units, of z's shape, the ReLU passes what they have positive."""
    x = z - z.mean(1, keepdim=True)
    r = (x * x).mean(1, keepdim=True).add_(eps).rsqrt_()
    x.mul_(r)
    u = torch.addcmul(beta, x, gamma)
    y = u.relu_() if units is None else torch.ops.aten.threshold_backward(u, units, 0)
    return y, (gamma, x, r, y if units is None else units)


def gradient(dy: Tensor, gamma: Tensor, x: Tensor, r: Tensor, units: Tensor) -> tuple[Tensor, Tensor, Tensor, Saved]:
    """dz, dgamma, dbeta."""
    rows = x.shape[1]
    g = torch.ops.aten.threshold_backward(dy, units, 0)
    dbeta = g.sum(1, keepdim=True)
    dgamma = (g * x).sum(1, keepdim=True)
    scale, mean_gx, mean_g = r * gamma, dgamma / rows, dbeta / rows
    dz = torch.addcmul(-scale * mean_g, g, scale).addcmul_(x, -scale * mean_gx)
    return dz, dgamma, dbeta, (scale, x, r, units, g, mean_gx, mean_g)


def double_backward(
    a: Tensor, b: Tensor, c: Tensor,
    scale: Tensor, x: Tensor, r: Tensor, units: Tensor, g: Tensor, mean_gx: Tensor, mean_g: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """What dy, z and gamma get from (a, b, c), the gradients with respect to dz, dgamma and dbeta."""
    mean_a = a.mean(1, keepdim=True)
    mean_ax = (a * x).mean(1, keepdim=True)
    mean_a_pg = (a * g).mean(1, keepdim=True) - mean_a * mean_g - mean_ax * mean_gx
    from_g, from_a = b - scale * mean_ax, scale * mean_gx
    along = torch.addcmul(c - scale * mean_a, a, scale).addcmul_(x, from_g)
    mean_e = from_g * mean_g - from_a * mean_a
    mean_ex = from_g * mean_gx - from_a * mean_ax
    dz = torch.addcmul(-r * mean_e, g, r * from_g).addcmul_(a, -r * from_a)
    dz.addcmul_(x, -r * (mean_ex + scale * mean_a_pg))
    ddy = torch.ops.aten.threshold_backward(along, units, 0)
    return ddy, dz, r * mean_a_pg * x.shape[1]
