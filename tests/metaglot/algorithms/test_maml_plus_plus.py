import pytest
import torch
from cases import Case, cases
from draws import examples
from error_lines import error_line
from hypothesis import given
from hypothesis import strategies as st
from oracles import distance, gradient_of, meta_gradient, plain_tasks, slope

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.maml_plus_plus import SECOND_ORDER_START, STEP_LOSSES_END, MAMLPlusPlus
from metaglot.core.nn.functional_networks import create_network

OFF = dict.fromkeys(("step_losses", "learned_rates", "cosine", "order_annealing"), False)
CASE = Case(ways=3, shots=3, steps=3, tasks=2)


def plus_plus(case: Case = CASE, **switches: bool) -> MAMLPlusPlus:
    settings = MAMLPlusPlus.Settings(**{**OFF, **switches})
    return MAMLPlusPlus(create_network(case.model), case.fast_lr, case.steps, settings=settings)


def test_rates_of_no_step_cannot_be_learned():
    case = CASE.but(steps=0)
    algorithm = plus_plus(case, learned_rates=True)
    line = error_line(lambda: algorithm.initial_parameters(case.parameters(), case.images()))
    assert line == "train.adaptation_steps: got 0; maml_plus_plus with learned_rates takes 1 or more"


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("progress", [0.0, 0.2, 1.0])
def test_without_its_parts_it_is_maml(model, progress):
    case = CASE.but(model=model)
    algorithm, parameters = plus_plus(case).at_progress(progress), case.parameters()
    assert algorithm.initial_parameters(parameters, case.images()).keys() == parameters.keys()
    assert algorithm.meta_lr_factor(progress) == 1
    maml = MAML(create_network(model), case.fast_lr, case.steps)
    actual, expected = (meta_gradient(each, parameters, case.batch())[0] for each in (algorithm, maml))
    assert distance(actual, expected) < 1e-12


def test_its_order_is_first_and_then_second():
    parameters, batch = CASE.parameters(), CASE.batch()
    algorithm = plus_plus(order_annealing=True)
    for progress, kind in ((0.0, FOMAML), (SECOND_ORDER_START - 0.01, FOMAML), (SECOND_ORDER_START, MAML), (1.0, MAML)):
        expected, _ = meta_gradient(kind(create_network("fc"), CASE.fast_lr, CASE.steps), parameters, batch)
        assert distance(meta_gradient(algorithm.at_progress(progress), parameters, batch)[0], expected) < 1e-12


@examples(10)
@given(cases(shots=3).filter(lambda case: case.steps), st.sampled_from([0.0, STEP_LOSSES_END / 2, 1.0]))
def test_its_meta_loss_and_gradient_are_those_written_out_task_by_task(case, progress):
    """With a loss after every step, and other rates in every step and tensor."""
    algorithm = plus_plus(case, step_losses=True, learned_rates=True).at_progress(progress)
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    random = torch.Generator().manual_seed(1)
    for name in parameters:
        if name.startswith("rates."):
            parameters[name] = parameters[name] * (0.5 + torch.rand((), generator=random, dtype=torch.double))
    parameters = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    weights = algorithm.step_weights()
    assert sum(weights) == pytest.approx(1) and (progress < 1 or weights == [0] * (case.steps - 1) + [1])
    total = torch.zeros((), dtype=torch.double)
    for support_loss, query_loss in plain_tasks(case, case.module(), case.batch()):
        own = {name: parameters[name] for name in case.parameters()}
        for step in range(case.steps):
            gradient = slope(support_loss, own, create_graph=True)
            own |= {n: own[n] - parameters[f"rates.{step}.{n}"] * gradient[n] for n in algorithm.network.names}
            total = total + weights[step] * query_loss(own) / case.tasks
    losses, _ = algorithm.meta_loss(parameters, case.batch())
    torch.testing.assert_close(losses.mean(), total)
    actual, _ = meta_gradient(algorithm, parameters, case.batch())
    assert distance(actual, gradient_of(total, parameters)) < 1e-9


def test_its_outer_rate_falls_along_a_cosine():
    rates = [plus_plus(cosine=True).meta_lr_factor(progress) for progress in (0, 0.25, 0.5, 0.75, 1)]
    assert rates[0] == 1 and rates[2] == pytest.approx(0.505) and rates[-1] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)


def test_beyond_the_steps_of_training_it_takes_the_last_rates():
    algorithm = plus_plus(learned_rates=True)
    parameters = algorithm.initial_parameters(CASE.parameters(), CASE.images())
    parameters["rates.2.classifier.bias"] = torch.tensor(7.0)
    tested = plus_plus(CASE.but(steps=10), learned_rates=True)
    assert set(tested.names) <= set(parameters)
    assert [float(tested.rates(parameters, step)["classifier.bias"]) for step in (1, 2, 9)] == [0.4, 7.0, 7.0]


def test_all_its_parts_are_on_by_default_and_change_where_the_paper_and_its_code_say():
    settings = MAMLPlusPlus.Settings()
    assert settings.model_dump(include=set(OFF)) == dict.fromkeys(OFF, True)
    algorithm = plus_plus(step_losses=True, order_annealing=True)
    assert [algorithm.at_progress(done / 150).first_order for done in (49, 50)] == [True, False]
    assert [algorithm.at_progress(done / 100).weighs_steps for done in (9, 10)] == [True, False]
