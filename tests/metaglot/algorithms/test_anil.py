import pytest
import torch
from cases import Case
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import check_slope, distance

from metaglot.algorithms.anil import ANIL
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, create_network

some = st.builds(
    Case,
    model=st.sampled_from(["fc", "conv"]),
    steps=st.integers(0, 5),
    ways=st.integers(2, 5),
    shots=st.integers(3, 4),
    tasks=st.integers(1, 3),
    seed=st.integers(0, 1000),
)


@examples(15)
@given(some)
def test_its_meta_gradient_is_learn2learns_on_the_head(case):
    algorithm = ANIL(create_network(case.model), case.fast_lr, case.steps)
    parameters, batch = case.parameters(), case.batch()
    expected, losses = Learn2LearnEngine(algorithm, case.module()).meta_gradient(parameters, batch)
    actual, outcome = BatchedEngine(algorithm, 2).meta_gradient(parameters, batch)
    assert distance(dict(enumerate(actual)), dict(enumerate(expected))) <= 1e-10
    torch.testing.assert_close(outcome.losses, losses.losses)


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_only_the_head_adapts(model):
    case = Case(model)
    batch, parameters = case.batch(), case.parameters()
    classifiers = ANIL(create_network(model), 0.4, 2).adapt(parameters, batch.support, batch.support_labels)
    before, after = next(classifiers).fast, next(classifiers).fast
    moved = {n for n in before if before[n].dense().shape != after[n].dense().shape}  # a task has its own then
    assert moved == {HEAD, HEAD_BIAS}


def test_its_meta_gradient_is_of_second_order():
    case = Case(steps=2)
    check_slope(ANIL(create_network("fc"), case.fast_lr, 2), case, HEAD)
