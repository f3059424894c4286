import pytest
import torch
from kernels import as_precise, same_bits
from torch import Tensor

from metaglot.core.nn.layer_inputs import CachedInput
from metaglot.core.nn.sparse_matmul import SparseMatrix

SHAPES = [(1, 1), (1, 150), (2, 99), (3, 100), (25, 101), (7, 208), (33, 784), (201, 307)]


def drawing(rows: int, columns: int, ink: float = 0.25, dtype: torch.dtype = torch.double) -> Tensor:
    """Rows of which so much is not 0; some of it negative."""
    random = torch.Generator().manual_seed(rows + columns)
    values = torch.randn(rows, columns, generator=random, dtype=torch.double)
    return torch.where(torch.rand(rows, columns, generator=random) < ink, values, 0).to(dtype)


def noise(*shape: int, dtype: torch.dtype = torch.double) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)), dtype=torch.double).to(dtype)


def sparse(x: Tensor) -> SparseMatrix:
    matrix = SparseMatrix.of(x)
    assert matrix is not None
    return matrix


@pytest.mark.parametrize("features", [63, 64, 196])
@pytest.mark.parametrize(("rows", "columns"), SHAPES)
def test_it_multiplies_as_the_whole_matrix_does_and_so_do_its_derivatives(rows, columns, features):
    x, w = drawing(rows, columns), noise(features, columns).requires_grad_()
    actual, expected = sparse(x).times(w), x @ w.mT
    derived = []
    for y in (actual, expected):
        (gradient,) = torch.autograd.grad(y.pow(3).sum(), w, create_graph=True)
        derived.append((y, gradient, *torch.autograd.grad(gradient.pow(3).sum(), w)))
    for ours, theirs in zip(*derived, strict=True):
        assert (ours - theirs).norm() <= 1e-13 * theirs.norm()


@pytest.mark.parametrize("rows", [800, 3200])
def test_in_single_precision_it_is_as_near_to_double_as_the_whole_matrix_is(rows):
    x, w, g = drawing(rows, 784), noise(256, 784), noise(rows, 256)
    single, matrix, grad = x.float(), w.float().requires_grad_(), g.float()
    y = sparse(single).times(matrix)
    ours, theirs = (y, *torch.autograd.grad(y, matrix, grad)), (single @ matrix.mT, grad.mT @ single)
    assert as_precise(ours, theirs, exact=(x @ w.mT, g.mT @ x))


def test_memory_in_any_order_is_read_as_what_it_is():
    x, w = drawing(100, 3).mT, noise(100, 64).mT
    assert not x.is_contiguous() and not w.is_contiguous()
    torch.testing.assert_close(sparse(x).times(w), x @ w.mT)


def test_a_value_that_is_not_a_number_stays_one():
    x, w = drawing(3, 5), noise(64, 5)
    x[1, 2] = torch.nan
    assert sparse(x).times(w).isnan().all(1).tolist() == [False, True, False]


@pytest.mark.parametrize("threads", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(threads):
    x, w = drawing(201, 784, dtype=torch.float), noise(256, 784, dtype=torch.float).requires_grad_()

    def both() -> tuple[Tensor, Tensor]:
        y = sparse(x).times(w)
        return y.detach(), torch.autograd.grad(y.square().sum(), w)[0]

    assert same_bits(both, threads)


def test_a_matrix_with_few_zeros_is_left_to_the_dense_product():
    assert SparseMatrix.of(drawing(40, 50, ink=0.4)) and not SparseMatrix.of(drawing(40, 50, ink=0.6))


def test_what_it_does_not_know_is_left_to_the_dense_product():
    x = drawing(3, 5)
    assert not SparseMatrix.of(x.requires_grad_()) and not SparseMatrix.of(x.detach().to("meta"))
    assert not SparseMatrix.of(x.detach().bfloat16()) and not SparseMatrix.of(drawing(0, 5))
    assert all(sparse(x.detach()).supports(noise(features, 5)) for features in (57, 64, 784))
    assert not sparse(x.detach()).supports(noise(56, 5)) and not sparse(x.detach()).supports(noise(3, 64, 5))
    assert not sparse(x.detach()).supports(noise(64, 5).float()) and not sparse(x.detach()).supports(noise(64, 6))
    assert not sparse(x.detach()).supports(noise(64, 5).to("meta"))


def test_a_layer_skips_what_is_empty_of_the_images_that_it_sees(monkeypatch: pytest.MonkeyPatch):
    """And not where there is little: the product is the same."""
    calls, times = [], SparseMatrix.times
    monkeypatch.setattr(SparseMatrix, "times", lambda self, matrix: calls.append(matrix) or times(self, matrix))
    w = noise(64, 50)
    for ink, skips in ((0.25, True), (0.75, False)):
        x = drawing(6, 50, ink).view(2, 3, 50)
        torch.testing.assert_close(CachedInput(x).times(w), x @ w.mT)
        assert bool(calls) == skips
        calls.clear()
