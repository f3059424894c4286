import torch
from torch import Tensor

from metaglot.core.nn.layer_inputs import CachedInput, pair_products

TASKS, WIDE, HIGH = 3, 7, 5


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


def test_rows_that_are_seen_again_are_multiplied_once_for_each_matrix():
    rows, shared = noise(TASKS, 2, WIDE, seed=9), noise(HIGH, WIDE).requires_grad_()
    seen, matrices = CachedInput(rows), (shared, noise(TASKS, 4, WIDE, seed=1))
    for matrix in matrices:
        assert seen.times(matrix) is seen.times(matrix)
        torch.testing.assert_close(seen.times(matrix), rows @ matrix.mT)
    with torch.no_grad():
        assert not seen.times(shared).requires_grad
    assert seen.times(shared).requires_grad


def test_the_products_of_two_sets_of_rows_are_computed_once_for_both():
    first, second = CachedInput(noise(TASKS, 2, WIDE)), CachedInput(noise(TASKS, 4, WIDE, seed=1))
    product = first.times_rows(second)
    torch.testing.assert_close(product, first.rows @ second.rows.mT)
    assert first.times_rows(second) is product
    assert second.times_rows(first).data_ptr() == product.data_ptr()
    torch.testing.assert_close(second.times_rows(first), second.rows @ first.rows.mT)


def test_pairs_are_in_the_order_of_the_first_rows_and_then_of_the_second():
    x, y = noise(TASKS, 2, WIDE), noise(TASKS, 4, WIDE, seed=1)
    pairs = pair_products(x, y)
    expected = [torch.stack([a * b for a in x[task] for b in y[task]]) for task in range(TASKS)]
    torch.testing.assert_close(pairs, torch.stack(expected))
    cached = pair_products(CachedInput(x), CachedInput(y))
    assert isinstance(cached, CachedInput) and torch.equal(cached.rows, pairs)
