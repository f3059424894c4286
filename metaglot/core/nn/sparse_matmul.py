"""Matrices most of whose elements are 0, as drawings are, and products that skip these: in C, on a CPU.

A product with such a matrix X, which is a constant, is linear in the other one, and so is its gradient:

    Y = X W^T,   dW = dY^T X

Each is the other's derivative, so both differentiate to any order.
"""

from ctypes import CDLL
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function

from metaglot.core.nn.c_extension import call_c, load_functions

SOURCE = Path(__file__).with_suffix(".c")
BLOCK = 100  # columns that are kept together: of as many, the other matrix's part stays in the nearest cache
WIDTH = 64  # what features are a multiple of, once they are filled up with zeros
MOST_FILLED = 1 / 8  # of the features
MOST = 0.5  # of the elements may be other than 0: with more, the dense product is as fast


@dataclass(frozen=True, eq=False)
class SparseMatrix:
    """What is not 0 of a matrix, in the order of sparse_matmul.c."""

    shape: tuple[int, int]  # rows, columns
    entries: Tensor  # memory for a value and, as an int32, its column of the block: [blocks, rows * BLOCK, 2]
    ends: Tensor  # where a row's entries end, int32 [blocks, rows]

    @classmethod
    def of(cls, matrix: Tensor) -> "SparseMatrix | None":
        """matrix [rows, columns]; None where a dense product is as good, or the only one that there is."""
        if matrix.device.type != "cpu" or matrix.requires_grad or not (matrix.numel() and _functions(matrix.dtype)):
            return None
        rows, columns = matrix.shape
        blocks = -(-columns // BLOCK)
        entries = matrix.new_empty(blocks, rows * BLOCK, 2)
        sparse = cls((rows, columns), entries, matrix.new_empty(blocks, rows, dtype=torch.int32))
        nonzero = sparse._call("compress", matrix.contiguous(), sparse.entries, sparse.ends)
        return sparse if nonzero <= MOST * matrix.numel() else None

    def supports(self, matrix: Tensor) -> bool:
        """Whether it can be multiplied by this one, [features, columns]."""
        fits = matrix.dim() == 2 and matrix.shape[1] == self.shape[1] and matrix.dtype == self.entries.dtype
        filled = -len(matrix) % WIDTH
        return fits and matrix.device == self.entries.device and filled <= MOST_FILLED * len(matrix)

    def times(self, matrix: Tensor) -> Tensor:
        """X W^T, [rows, features]; W [features, columns]. Differentiable in W."""
        padded = F.pad(matrix, (0, 0, 0, -len(matrix) % WIDTH))
        product: Tensor = _Times.apply(padded, self)
        return product[:, : len(matrix)]

    def transposed_times(self, grad: Tensor) -> Tensor:
        """G^T X, [features, columns]; G [rows, features], as wide as what `supports` accepts."""
        product: Tensor = _TransposedTimes.apply(grad, self)
        return product

    def _multiply(self, name: str, features: int, other: Tensor, *shape: int) -> Tensor:
        product = other.new_empty(shape)
        self._call(name, features, self.entries, self.ends, other.contiguous(), product)
        return product

    def _call(self, name: str, *arguments: Tensor | int) -> int:
        return call_c(_functions(self.entries.dtype), name, *self.shape, *arguments)


def _functions(dtype: torch.dtype) -> CDLL | None:
    return load_functions(SOURCE, dtype, BLOCK=BLOCK, WIDTH=WIDTH)


class _Times(Function):
    """W [features, columns] -> X W^T, [rows, features]."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, x: SparseMatrix) -> Tensor:
        ctx.x = x
        return x._multiply("times", len(matrix), matrix, x.shape[0], len(matrix))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return _TransposedTimes.apply(grad, ctx.x), None


class _TransposedTimes(Function):
    """G [rows, features] -> G^T X, [features, columns]."""

    @staticmethod
    def forward(ctx: Any, grad: Tensor, x: SparseMatrix) -> Tensor:
        ctx.x = x
        return x._multiply("transposed_times", grad.shape[1], grad, grad.shape[1], x.shape[1])

    @staticmethod
    def backward(ctx: Any, along: Tensor) -> tuple[Tensor, None]:
        return _Times.apply(along, ctx.x), None
