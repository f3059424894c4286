"""The three operations in C, all tasks at once: for a CPU. Shapes are those of autograd.py.

oneDNN convolves one task at a time, and what it gives has to be put together: with it a meta-gradient of 32 tasks with
25 images in each set takes 1.4 times as long.
"""

from ctypes import CDLL
from pathlib import Path

import torch
from torch import Tensor

from metaglot.core.nn.c_extension import call_c, load_functions

FOLDER = Path(__file__).parent
WIDTH = 16  # what comes out of a product is a multiple of that, in features or channels


def supports(a: Tensor, b: Tensor, width: int) -> bool:
    """Whether the C code knows such numbers, both in this machine's own memory, and products so wide."""
    known = a.device.type == b.device.type == "cpu" and a.dtype == b.dtype and width % WIDTH == 0
    return known and None not in (load_convolution(a.dtype), load_weight_gradient(a.dtype))


def convolve(x: Tensor, kernels: Tensor) -> Tensor:
    tasks, n, height, width, _ = x.shape
    y = x.new_empty(tasks, n, (height + 1) // 2, (width + 1) // 2, kernels.shape[1])
    check(x.shape, kernels.shape, y.shape)
    call_c(load_convolution(x.dtype), "convolve", *x.shape, *y.shape[2:], *strided(kernels), x.contiguous(), y)
    return y


def input_gradient(grad: Tensor, kernels: Tensor, shape: torch.Size) -> Tensor:
    x = grad.new_empty(shape)
    check(shape, kernels.shape, grad.shape)
    library = load_convolution(x.dtype)
    call_c(library, "input_gradient", *shape, *grad.shape[2:], *strided(kernels), grad.contiguous(), x)
    return x


def weight_gradient(grad: Tensor, x: Tensor) -> Tensor:
    kernels = x.new_empty(len(x), grad.shape[-1], x.shape[-1], 3, 3)
    check(x.shape, kernels.shape, grad.shape)
    library = load_weight_gradient(x.dtype)
    call_c(library, "weight_gradient", *x.shape, *grad.shape[2:], grad.contiguous(), x.contiguous(), kernels)
    return kernels


def check(before: torch.Size, kernels: torch.Size, after: torch.Size) -> None:
    """RuntimeError where these shapes do not belong to one convolution: C would read past an end."""
    tasks, n, height, width, channels = before
    whole = tasks, n, (height + 1) // 2, (width + 1) // 2, after[-1]
    if after != whole or kernels != (tasks, after[-1], channels, 3, 3):
        raise RuntimeError(f"kernels {[*kernels]} do not make images {[*after]} of images {[*before]}")


def strided(kernels: Tensor) -> tuple[Tensor | int, ...]:
    """From one task, feature, channel and tap to the next, in numbers; and kernels that lie so."""
    if kernels.stride(3) != 3 * kernels.stride(4):
        kernels = kernels.contiguous()
    task, feature, channel, _, tap = kernels.stride()
    return task, feature, channel, tap, kernels


def load_convolution(dtype: torch.dtype) -> CDLL | None:
    return load_functions(FOLDER / "cpu_convolve.c", dtype, WIDTH=WIDTH)


def load_weight_gradient(dtype: torch.dtype) -> CDLL | None:
    return load_functions(FOLDER / "cpu_weight_gradient.c", dtype, WIDTH=WIDTH)
