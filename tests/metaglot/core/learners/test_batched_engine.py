from dataclasses import replace
from random import Random
from statistics import median

import pytest
import torch
from cases import CPU, Case, cases
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import Gradient, distance, identical, learn2learn, meta_gradient

from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.batched_engine import BatchedEngine, default_task_chunk
from metaglot.core.learners.task_classifier import TaskScores
from metaglot.core.tasks.image_store import TaskBatch


def batched(case: Case, chunk: int, dtype: torch.dtype = torch.double) -> tuple[Gradient, TaskScores]:
    parameters = {name: value.detach().to(dtype).requires_grad_() for name, value in case.parameters().items()}
    return meta_gradient(BatchedEngine(case.algorithm(), chunk), parameters, of(case.batch(), dtype))


def of(batch: TaskBatch, dtype: torch.dtype) -> TaskBatch:
    return replace(batch, support=batch.support.to(dtype), query=batch.query.to(dtype))


def well_conditioned(case: Case) -> bool:
    """Batch norm of fewer rows magnifies rounding so much that learn2learn differs from itself by the rows' order."""
    return case.model == "conv" or case.ways * case.shots >= 5


@examples(25)
@given(cases().filter(well_conditioned), st.integers(1, 3))
def test_meta_gradients_are_learn2learns(case, chunk):
    expected, losses, accuracies = learn2learn(case, case.module(), case.batch())
    actual, outcome = batched(case, chunk)
    assert distance(actual, expected) <= 1e-10
    torch.testing.assert_close(outcome.losses, losses, rtol=1e-8, atol=1e-10)
    torch.testing.assert_close(outcome.accuracies.double(), accuracies, rtol=0, atol=1e-6)


@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_meta_gradients_are_learn2learns_at_the_size_that_is_trained(model, first_order):
    shots = 5 if model == "fc" else 1
    case = Case(model, first_order, ways=5, shots=shots, queries=5, fast_lr=0.5, tasks=4, hidden=64)
    expected, losses, _ = learn2learn(case, case.module(), case.batch())
    actual, outcome = batched(case, 4)
    assert distance(actual, expected) <= 1e-10
    torch.testing.assert_close(outcome.losses, losses)


def test_rounding_in_float32_is_at_most_twice_learn2learns_own():
    random = Random(0)
    ratios = []
    while len(ratios) < 24:
        case = Case(
            random.choice(["fc", "conv"]), random.random() < 0.5, random.randint(0, 5), random.randint(2, 5),
            random.randint(1, 4), random.randint(1, 3), random.uniform(0.01, 0.5), random.randint(1, 3),
            seed=random.randrange(1000),
        )  # fmt: skip
        exact, _, _ = learn2learn(case, case.module(), case.batch())
        theirs, _, _ = learn2learn(case, case.module().float(), of(case.batch(), torch.float))
        ours, _ = batched(case, 3, torch.float)
        ratios.append(distance(ours, exact) / distance({name: theirs[name] for name in ours}, exact))
    assert median(ratios) <= 2


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_chunks_change_nothing_but_rounding(model, chunk):
    case = Case(model, tasks=5, steps=2)
    whole, outcome = batched(case, 5)
    actual, parts = batched(case, chunk)
    assert distance(actual, whole) < 1e-12
    torch.testing.assert_close(parts, outcome)


def test_the_order_of_a_meta_batchs_tasks_changes_nothing_but_rounding():
    case = Case(tasks=4)
    parameters, batch = case.parameters(), case.batch()
    backwards = TaskBatch(*(part.flip(0) for part in batch.parts()))
    (first, outcome), (second, reversed_outcome) = (
        BatchedEngine(case.algorithm(), 4).meta_gradient(parameters, b) for b in (batch, backwards)
    )
    torch.testing.assert_close(first, second)
    torch.testing.assert_close(outcome.losses, reversed_outcome.losses.flip(0))


def test_the_same_gradient_twice_is_the_same_to_the_last_bit():
    case = Case(steps=2)
    assert identical(batched(case, 2, torch.float)[0], batched(case, 2, torch.float)[0])


def test_a_chunk_has_fewer_tasks_the_more_images_a_task_has_but_at_least_one():
    small, large = (TaskConfig(ways=w, shots=s, queries=s, rotations="class") for w, s in ((5, 1), (20, 10)))
    for model in ("fc", "conv"):
        assert default_task_chunk(model, small, CPU) > default_task_chunk(model, large, CPU) >= 1
        assert default_task_chunk(model, small, torch.device("cuda")) > default_task_chunk(model, small, CPU)
    huge = TaskConfig(ways=256, shots=10, queries=10, rotations="class")
    assert default_task_chunk("conv", huge, CPU) == 1
