"""Batch norm and ReLU, its gradient and the gradient of that, by cpu_kernels.c: for a CPU.

PyTorch takes two dozen operations for what torch_fallback.py says, each of which goes through all of the memory; here
it is seven passes through what lies in the cache. The functions are those of torch_fallback.py.
"""

from pathlib import Path

import torch
from torch import Tensor

from metaglot.core.nn.c_extension import call_c, load_functions

Saved = tuple[Tensor | None, ...]  # what the next function takes; None where no units are given

SOURCE = Path(__file__).with_suffix(".c")


def supports(*tensors: Tensor) -> bool:
    """Whether cpu_kernels.c knows such numbers, all of one type and in this machine's own memory."""
    dtype = tensors[0].dtype
    alike = all(tensor.device.type == "cpu" and tensor.dtype == dtype for tensor in tensors)
    return alike and load_functions(SOURCE, dtype) is not None


def forward(z: Tensor, gamma: Tensor, beta: Tensor, eps: float, units: Tensor | None = None) -> tuple[Tensor, Saved]:
    """y."""
    z, gamma, beta = z.contiguous(), of_each(gamma, z), of_each(beta, z)
    y, mean, r = torch.empty_like(z), torch.empty_like(gamma), torch.empty_like(gamma)
    units = None if units is None else units.expand_as(z).contiguous()
    run("forward", z, eps, z, gamma, beta, units, y, mean, r)
    return y, (z, gamma, beta, mean, r, units)


def gradient(dy: Tensor, z: Tensor, gamma: Tensor, *saved: Tensor | None) -> tuple[Tensor, Tensor, Tensor, Saved]:
    """dz, dgamma, dbeta."""
    dy = dy.contiguous()
    dz, dgamma, dbeta = torch.empty_like(z), torch.empty_like(gamma), torch.empty_like(gamma)
    run("gradient", z, dy, z, gamma, *saved, dz, dgamma, dbeta)
    return dz, dgamma, dbeta, (dy, z, gamma, *saved, dgamma, dbeta)


def double_backward(
    a: Tensor, b: Tensor, c: Tensor, dy: Tensor, z: Tensor, gamma: Tensor, *saved: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """What dy, z and gamma get from (a, b, c), the gradients with respect to dz, dgamma and dbeta."""
    ddy, dz, to_gamma = torch.empty_like(z), torch.empty_like(z), torch.empty_like(gamma)
    run("double_backward", z, a.contiguous(), b.contiguous(), c.contiguous(), dy, z, gamma, *saved, ddy, dz, to_gamma)
    return ddy, dz, to_gamma


def of_each(vector: Tensor, z: Tensor) -> Tensor:
    """A vector that tasks may share, [1, 1, features], as one of each task's own."""
    return vector.expand(len(z), 1, z.shape[2]).contiguous()


def run(name: str, z: Tensor, *arguments: Tensor | float | None) -> None:
    call_c(load_functions(SOURCE, z.dtype), name, *z.shape, *arguments)
