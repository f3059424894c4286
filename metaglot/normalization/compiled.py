"""Batch norm and ReLU, its gradient and the gradient of that, by kernels.c: for a CPU.

PyTorch takes two dozen operations for what formulas.py says, each of which goes through all of the memory; here it is
seven passes through what lies in the cache. The functions are those of formulas.py.
"""

import ctypes
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from metaglot.compiler import library
from metaglot.normalization.formulas import Kept

REALS = {torch.float32: "float", torch.float64: "double"}
TENSORS = {"forward": 6, "gradient": 9, "second": 14}  # arguments of each


@cache
def kernels(dtype: torch.dtype) -> ctypes.CDLL | None:
    """The functions of kernels.c for this type; None where they could not be compiled."""
    found = library(Path(__file__).with_name("kernels.c"), f"-DREAL={REALS[dtype]}")
    for name, tensors in TENSORS.items() if found else ():
        function = getattr(found, name)
        numbers = [ctypes.c_double] if name == "forward" else []
        function.argtypes = [ctypes.c_long] * 3 + numbers + [ctypes.c_void_p] * tensors
        function.restype = None
    return found


def takes(*tensors: Tensor) -> bool:
    """Whether the kernels know such numbers, all of one type and in this machine's own memory."""
    dtype = tensors[0].dtype
    alike = all(tensor.device.type == "cpu" and tensor.dtype == dtype for tensor in tensors)
    return alike and dtype in REALS and kernels(dtype) is not None


def forward(z: Tensor, gamma: Tensor, beta: Tensor, eps: float) -> tuple[Tensor, Kept]:
    """y."""
    z, gamma, beta = z.contiguous(), of_each(gamma, z), of_each(beta, z)
    y, mean, r = torch.empty_like(z), torch.empty_like(gamma), torch.empty_like(gamma)
    call("forward", z, (eps,), z, gamma, beta, y, mean, r)
    return y, (z, gamma, beta, mean, r)


def gradient(dy: Tensor, *kept: Tensor) -> tuple[Tensor, Tensor, Tensor, Kept]:
    """dz, dgamma, dbeta."""
    z, gamma = kept[:2]
    dy = dy.contiguous()
    dz, dgamma, dbeta = torch.empty_like(z), torch.empty_like(gamma), torch.empty_like(gamma)
    call("gradient", z, (), dy, *kept, dz, dgamma, dbeta)
    return dz, dgamma, dbeta, (dy, *kept, dgamma, dbeta)


def second(a: Tensor, b: Tensor, c: Tensor, *kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What dy, z and gamma get from (a, b, c), the gradients with respect to dz, dgamma and dbeta."""
    z, gamma = kept[1:3]
    ddy, dz, to_gamma = torch.empty_like(z), torch.empty_like(z), torch.empty_like(gamma)
    call("second", z, (), a.contiguous(), b.contiguous(), c.contiguous(), *kept, ddy, dz, to_gamma)
    return ddy, dz, to_gamma


def of_each(vector: Tensor, z: Tensor) -> Tensor:
    """A vector that tasks may share, [1, 1, features], as one of each task's own."""
    return vector.expand(len(z), 1, z.shape[2]).contiguous()


def call(name: str, z: Tensor, numbers: tuple[float, ...], *tensors: Tensor) -> None:
    getattr(kernels(z.dtype), name)(*z.shape, *numbers, *(tensor.data_ptr() for tensor in tensors))
