from itertools import pairwise

import pytest
import torch
from torch import Tensor

from metaglot.core.nn.fast_weights import TaskLinearWeight, TaskVector
from metaglot.core.nn.layer_inputs import CachedInput
from metaglot.core.nn.weight_updates import LowRankGradient

TASKS, ROWS, WIDE, HIGH = 3, 4, 7, 5
RATES = {
    "a number": 0.3,
    "a learned scalar": torch.tensor(0.3, dtype=torch.double),
    "one of every weight": torch.linspace(0.1, 0.5, HIGH * WIDE, dtype=torch.double).view(HIGH, WIDE),
}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


def outer(seed: int, rows: int = ROWS, inputs: Tensor | None = None) -> LowRankGradient:
    inputs = noise(TASKS, rows, WIDE, seed=seed + 100) if inputs is None else inputs
    return LowRankGradient(noise(TASKS, rows, HIGH, seed=seed), inputs)


def after(updates: list[LowRankGradient], rate: Tensor | float, shared: Tensor) -> TaskLinearWeight:
    fast = TaskLinearWeight(shared)
    for update in updates:
        fast = fast.plus(update.times(rate))
    return fast


def chain_of(shared: Tensor, steps: int) -> list[TaskLinearWeight]:
    """The weights before and after each step."""
    chain = [TaskLinearWeight(shared)]
    for step in range(steps):
        chain.append(chain[-1].plus(outer(step, rows=1).times(0.3)))
    return chain


def by_hand(updates: list[LowRankGradient], rate: Tensor | float, shared: Tensor, x: Tensor) -> Tensor:
    """With a weight matrix of every task's own, one example at a time."""
    results = []
    for task in range(TASKS):
        weight = shared
        for update in updates:
            gradients = [torch.outer(g, h) for g, h in zip(update.grad[task], update.inputs[task], strict=True)]
            weight = weight + rate * torch.stack(gradients).sum(0)
        results.append(torch.stack([weight @ row for row in x[task]]))
    return torch.stack(results)


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
@pytest.mark.parametrize("steps", [0, 1, 2, 6])
@pytest.mark.parametrize("rows", [1, ROWS])
def test_the_product_is_that_with_a_matrix_for_every_task(rate, steps, rows):
    shared, x = noise(HIGH, WIDE), noise(TASKS, 2, WIDE, seed=9)
    updates = [outer(step, rows) for step in range(steps)]
    torch.testing.assert_close(after(updates, rate, shared)(x), by_hand(updates, rate, shared, x))


@pytest.mark.parametrize("seen", [2, 40])  # with 160 pairs a task has its own matrix, unless the rows are images
@pytest.mark.parametrize("images", [True, False])
def test_a_step_with_every_weights_own_rate_has_the_derivatives_of_a_matrix_for_every_task(seen, images):
    shared, x = noise(HIGH, WIDE).requires_grad_(), noise(TASKS, seen, WIDE, seed=9)
    update, rate = outer(0), RATES["one of every weight"].clone().requires_grad_()
    update = LowRankGradient(
        update.grad.requires_grad_(), update.inputs, CachedInput(update.inputs) if images else None
    )
    watched = [shared, rate, update.grad]
    if not images:
        watched += [x.requires_grad_(), update.inputs.requires_grad_()]
    fast = TaskLinearWeight(shared).plus(update.times(rate))
    derived = []
    for y in (fast(CachedInput(x) if images else x), by_hand([update], rate, shared, x)):
        first = torch.autograd.grad(y.pow(3).sum(), watched, create_graph=seen == 2)
        derived.append([y, *first])
        if seen == 2:  # the matrix is differentiated once, since no inner step follows it
            derived[-1] += torch.autograd.grad(sum(g.pow(3).sum() for g in first), watched)
    torch.testing.assert_close(*derived)


@pytest.mark.parametrize("rate", RATES.values(), ids=RATES)
def test_gradients_go_through_as_if_every_task_had_a_matrix(rate):
    shared, x = noise(HIGH, WIDE).requires_grad_(), noise(TASKS, 2, WIDE, seed=9).requires_grad_()
    updates = [outer(step, rows=1) for step in range(3)]
    watched = [shared, x, *(t.requires_grad_() for u in updates for t in (u.grad, u.inputs))]
    gradient = torch.autograd.grad(after(updates, rate, shared)(x).square().sum(), watched)
    expected = torch.autograd.grad(by_hand(updates, rate, shared, x).square().sum(), watched)
    torch.testing.assert_close(gradient, expected)


def test_a_rate_that_is_learned_has_the_gradient_of_every_step():
    shared, x = noise(HIGH, WIDE), noise(TASKS, 2, WIDE, seed=9)
    updates = [outer(step, rows=1) for step in range(2)]
    for rate in (torch.tensor(0.3, dtype=torch.double), RATES["one of every weight"].clone()):
        rate.requires_grad_()
        (gradient,) = torch.autograd.grad(after(updates, rate, shared)(x).square().sum(), rate)
        (expected,) = torch.autograd.grad(by_hand(updates, rate, shared, x).square().sum(), rate)
        torch.testing.assert_close(gradient, expected)


def test_updates_stay_thin_while_that_is_cheaper_and_then_become_a_matrix():
    shared, x = noise(HIGH, WIDE), noise(TASKS, 2, WIDE, seed=9)
    updates = [outer(step, rows=1) for step in range(5)]
    stages = chain_of(shared, 5)
    ranks = [fast.low_rank and fast.low_rank.inputs.shape[1] for fast in stages]
    assert ranks[:3] == [None, 1, 2] and ranks[-1] is None  # 12 numbers a row against 35
    for steps, fast in enumerate(stages):
        torch.testing.assert_close(fast(x), by_hand(updates[:steps], 0.3, shared, x))
        torch.testing.assert_close(x @ fast.dense().mT, fast(x))


def test_updates_on_the_same_inputs_grow_no_longer():
    shared, x = noise(HIGH, WIDE), noise(TASKS, 2, WIDE, seed=9)
    inputs = noise(TASKS, 1, WIDE, seed=5)
    updates = [outer(step, rows=1, inputs=inputs) for step in range(2)]
    fast = after(updates, 0.3, shared)
    assert fast.low_rank.inputs is inputs
    torch.testing.assert_close(fast(x), by_hand(updates, 0.3, shared, x))


def test_updates_on_inputs_that_are_merely_equal_are_kept_apart():
    inputs = noise(TASKS, 1, WIDE, seed=5)
    updates = [outer(step, rows=1, inputs=inputs.clone()) for step in range(2)]
    assert after(updates, 0.3, noise(HIGH, WIDE)).low_rank.inputs.shape[1] == 2


def test_weights_give_rows_that_are_seen_again_the_same_product():
    shared, rows = noise(HIGH, WIDE), noise(TASKS, 2, WIDE, seed=9)
    seen = CachedInput(rows)
    for fast in chain_of(shared, 5):
        torch.testing.assert_close(fast(seen), fast(rows))


@pytest.mark.parametrize("rows", [1, ROWS])
def test_a_step_with_every_weights_own_rate_may_follow_thin_ones(rows):
    shared, x = noise(HIGH, WIDE), noise(TASKS, 2, WIDE, seed=9)
    first, second, third = (outer(step, rows) for step in range(3))
    rate = RATES["one of every weight"]
    fast = TaskLinearWeight(shared).plus(first.times(0.2)).plus(second.times(rate)).plus(third.times(0.2))
    weights = shared + 0.2 * first.dense() + rate * second.dense() + 0.2 * third.dense()
    torch.testing.assert_close(fast(x), x @ weights.mT)


def test_taking_a_step_leaves_the_weights_before_it_alone():
    x = noise(TASKS, 2, WIDE, seed=9)
    chain = chain_of(noise(HIGH, WIDE), 6)
    before = [fast(x) for fast in chain]
    chain[-1].plus(outer(7).times(RATES["one of every weight"]))
    assert all(torch.equal(fast(x), old) for fast, old in zip(chain, before, strict=True))
    assert not any(torch.equal(a, b) for a, b in pairwise(before))


def test_a_vector_has_a_copy_for_each_task_once_asked():
    shared = noise(1, 1, HIGH).requires_grad_()
    fast = TaskVector(shared).for_each(TASKS)
    (each,) = torch.autograd.grad((fast.value * noise(TASKS, 1, HIGH, seed=1)).sum(), fast.value)
    torch.testing.assert_close(each, noise(TASKS, 1, HIGH, seed=1))
    moved = fast.plus(noise(TASKS, 1, HIGH, seed=2))
    torch.testing.assert_close(moved.value, shared + noise(TASKS, 1, HIGH, seed=2))
    (gathered,) = torch.autograd.grad((moved.value * noise(TASKS, 1, HIGH, seed=1)).sum(), shared)
    torch.testing.assert_close(gathered, noise(TASKS, 1, HIGH, seed=1).sum(0, keepdim=True))
