"""What a layer sees: rows of every task, and those that it sees again at every step."""

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Tensor

from metaglot.core.nn.sparse_matmul import WIDTH, SparseMatrix


@dataclass(frozen=True, eq=False)
class CachedInput:
    """Rows that a layer sees again at every step: their product with the same matrix is computed once, and without
    their zeros where these are many. A matrix must not be changed in place in the meantime.
    """

    rows: Tensor  # [tasks, m, in]
    _products: dict[tuple[int, bool], tuple[Tensor, Tensor]] = field(default_factory=dict)
    _row_products: dict["CachedInput", Tensor] = field(default_factory=dict)

    def times(self, matrix: Tensor) -> Tensor:
        """rows @ matrix^T, [tasks, m, n]; matrix [n, in], or [tasks, n, in]."""
        key = id(matrix), torch.is_grad_enabled()
        if key not in self._products:
            self._products[key] = matrix, self._product(matrix)  # while the matrix is kept, no other has its id
        return self._products[key][1]

    def _product(self, matrix: Tensor) -> Tensor:
        if matrix.dim() == 2 and (sparse := self._sparse) and sparse.supports(matrix):
            return sparse.times(matrix).unflatten(0, self.rows.shape[:2])
        return self.rows @ matrix.mT

    def times_rows(self, other: "CachedInput") -> Tensor:
        """rows @ other.rows^T, [tasks, m, n], computed once for both."""
        if self in other._row_products:
            return other._row_products[self].mT
        if other not in self._row_products:
            self._row_products[other] = self.rows @ other.rows.mT
        return self._row_products[other]

    def transposed_times(self, grad: Tensor) -> Tensor:
        """The sum over the tasks of grad^T rows, [n, in]; grad [tasks, m, n]."""
        grad, sparse = grad.flatten(0, 1), self._sparse
        if sparse and grad.shape[1] % WIDTH == 0:
            return sparse.transposed_times(grad)
        return grad.mT @ self.rows.flatten(0, 1)

    @cached_property
    def _sparse(self) -> SparseMatrix | None:
        return SparseMatrix.of(self.rows.flatten(0, 1))


LayerInput = Tensor | CachedInput  # [tasks, m, in]


def rows(x: LayerInput) -> Tensor:
    return x.rows if isinstance(x, CachedInput) else x


def pair_products(x: LayerInput, y: LayerInput) -> LayerInput:
    """Each row of x [tasks, m, in] times each row of y [tasks, n, in], element by element: [tasks, m * n, in]."""
    pairs = (rows(x).unsqueeze(2) * rows(y).unsqueeze(1)).flatten(1, 2)
    return CachedInput(pairs) if isinstance(x, CachedInput) and isinstance(y, CachedInput) else pairs


def product(x: LayerInput, matrix: Tensor) -> Tensor:
    """x @ matrix^T, [tasks, m, n]; matrix [n, in], or [tasks, n, in]."""
    return x.times(matrix) if isinstance(x, CachedInput) else x @ matrix.mT
