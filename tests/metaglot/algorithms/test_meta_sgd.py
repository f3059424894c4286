import torch
from cases import Case
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import check_slope, distance, meta_gradient

from metaglot.algorithms.meta_sgd import MetaSGD
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.functional_networks import HEAD, create_network

some = st.builds(
    Case,
    model=st.sampled_from(["fc", "conv"]),
    steps=st.integers(0, 3),
    ways=st.integers(2, 4),
    shots=st.integers(3, 4),
    tasks=st.integers(1, 2),
    seed=st.integers(0, 1000),
)


def started(case: Case) -> tuple[MetaSGD, dict[str, torch.Tensor]]:
    """With random rates."""
    algorithm = MetaSGD(create_network(case.model), case.fast_lr, case.steps)
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    random = torch.Generator().manual_seed(1)
    for name in parameters:
        if name.startswith("rates."):
            parameters[name] *= torch.rand(parameters[name].shape, generator=random, dtype=torch.double)
    return algorithm, {name: value.detach().requires_grad_() for name, value in parameters.items()}


@examples(12)
@given(some)
def test_its_meta_gradient_is_learn2learns(case):
    algorithm, parameters = started(case)
    expected, losses = meta_gradient(Learn2LearnEngine(algorithm, case.module()), parameters, case.batch())
    actual, outcome = meta_gradient(BatchedEngine(algorithm, 1), parameters, case.batch())
    assert distance(actual, expected) <= 1e-10
    torch.testing.assert_close(outcome.losses, losses.losses)


def test_every_parameter_that_has_an_effect_has_a_rate_of_its_shape():
    case = Case()
    algorithm = MetaSGD(create_network("fc"), 0.3, 1)
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    assert set(algorithm.names) <= set(parameters)
    rates = {name.removeprefix("rates."): value for name, value in parameters.items() if name.startswith("rates.")}
    assert set(rates) == set(create_network("fc").names)
    assert all(value.shape == parameters[name].shape and (value == 0.3).all() for name, value in rates.items())


def test_its_meta_gradient_is_of_second_order():
    case = Case(steps=2)
    check_slope(MetaSGD(create_network("fc"), case.fast_lr, 2), case, HEAD)
