import pytest
import torch
import torch.nn.functional as F
from cases import Case, cases
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import distance
from torch.func import functional_call

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.maml_plus_plus import SECOND_ORDER_START, STEP_LOSSES_END, MAMLPlusPlus
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters

OFF = dict.fromkeys(("step_losses", "learned_rates", "cosine", "order_annealing"), False)
CASE = Case(ways=3, shots=3, steps=3, tasks=2)


def plus_plus(case: Case = CASE, **switches: bool) -> MAMLPlusPlus:
    settings = MAMLPlusPlus.Settings(**{**OFF, **switches})
    return MAMLPlusPlus(create_network(case.model), case.fast_lr, case.steps, settings=settings)


def gradient(algorithm, parameters, batch):
    return dict(zip(parameters, algorithm.meta_gradient(parameters, batch)[0], strict=True))


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("progress", [0.0, 0.2, 1.0])
def test_without_its_parts_it_is_maml(model, progress):
    case = CASE.but(model=model)
    algorithm, parameters = plus_plus(case).at_progress(progress), case.parameters()
    assert (
        algorithm.initial_parameters(parameters, case.images()).keys() == parameters.keys()
        and algorithm.meta_lr_factor(progress) == 1
    )
    actual = gradient(algorithm, parameters, case.batch())
    expected = gradient(MAML(create_network(model), case.fast_lr, case.steps), parameters, case.batch())
    assert distance(actual, expected) < 1e-12


def test_its_order_is_first_and_then_second():
    parameters, batch = CASE.parameters(), CASE.batch()
    algorithm = plus_plus(order_annealing=True)
    for progress, kind in ((0.0, FOMAML), (SECOND_ORDER_START - 0.01, FOMAML), (SECOND_ORDER_START, MAML), (1.0, MAML)):
        expected = gradient(kind(create_network("fc"), CASE.fast_lr, CASE.steps), parameters, batch)
        assert distance(gradient(algorithm.at_progress(progress), parameters, batch), expected) < 1e-12


@examples(10)
@given(cases(shots=3).filter(lambda case: case.steps), st.sampled_from([0.0, STEP_LOSSES_END / 2, 1.0]))
def test_its_meta_loss_and_gradient_are_those_written_out_task_by_task(case, progress):
    """With a loss after every step, and other rates in every step and tensor."""
    algorithm, batch = plus_plus(case, step_losses=True, learned_rates=True).at_progress(progress), case.batch()
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    random = torch.Generator().manual_seed(1)
    for name in parameters:
        if name.startswith("rates."):
            parameters[name] = parameters[name] * (0.5 + torch.rand((), generator=random, dtype=torch.double))
    parameters = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    module, weights = case.module(), algorithm.step_weights()
    assert sum(weights) == pytest.approx(1) and (progress < 1 or weights == [0] * (case.steps - 1) + [1])
    total = torch.zeros((), dtype=torch.double)
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        own = {name: parameters[name] for name in module_parameters(module)}
        for step in range(case.steps):
            loss = F.cross_entropy(functional_call(module, own, support[:, None]), labels)
            slopes = torch.autograd.grad(loss, [own[n] for n in algorithm.network.names], create_graph=True)
            for name, slope in zip(algorithm.network.names, slopes, strict=True):
                own[name] = own[name] - parameters[f"rates.{step}.{name}"] * slope
            total = total + weights[step] * F.cross_entropy(functional_call(module, own, query[:, None]), query_labels)
    total = total / len(batch)
    expected = torch.autograd.grad(total, [*parameters.values()], materialize_grads=True)
    losses, _ = algorithm.meta_loss(parameters, batch)
    torch.testing.assert_close(losses.mean(), total)
    assert distance(gradient(algorithm, parameters, batch), dict(zip(parameters, expected, strict=True))) < 1e-9


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
