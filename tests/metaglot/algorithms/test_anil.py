import torch
from cases import Case
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import check_slope, distance, meta_gradient

from metaglot.algorithms.anil import ANIL
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.functional_networks import HEAD, create_network

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
    expected, losses = meta_gradient(Learn2LearnEngine(algorithm, case.module()), parameters, batch)
    actual, outcome = meta_gradient(BatchedEngine(algorithm, 2), parameters, batch)
    assert distance(actual, expected) <= 1e-10
    torch.testing.assert_close(outcome.losses, losses.losses)


def test_its_meta_gradient_is_of_second_order():
    case = Case(steps=2)
    check_slope(ANIL(create_network("fc"), case.fast_lr, 2), case, HEAD)
