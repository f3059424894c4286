import pytest
import torch
from cases import Case
from oracles import distance, scaled_meta_gradient

from metaglot.algorithms.hf_maml import HFMAML
from metaglot.core.common.errors import UserError
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.approximation_error import certify_approximation
from metaglot.training.gradient_alignment import measure_alignment


def hf_maml(case: Case, **settings) -> HFMAML:
    return HFMAML(create_network(case.model), case.fast_lr, case.steps, settings=HFMAML.Settings(**settings))


def error(case: Case, perturbation: float) -> float:
    """Against the product of I - a H, with Hessian-vector products by automatic differentiation of plain modules."""
    parameters = case.parameters()
    gradients, _ = BatchedEngine(hf_maml(case, perturbation=perturbation), 2).meta_gradient(parameters, case.batch())
    return distance(dict(zip(parameters, gradients, strict=True)), scaled_meta_gradient(case, 1.0))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_its_meta_gradient_is_mamls_up_to_the_square_of_the_perturbation(model, steps):
    case = Case(model, steps=steps)
    assert 50 < error(case, 1e-2) / error(case, 1e-3) < 200
    assert error(case, 1e-4) < 1e-7


def test_its_defaults_are_as_documented():
    algorithm = hf_maml(Case())
    assert algorithm.settings == HFMAML.Settings(perturbation=0.01, fixed_relu=True)
    assert algorithm.first_order is False and algorithm.error_tolerance == 0.2


def test_without_a_step_it_is_exact():
    assert error(Case(steps=0), 1e-2) < 1e-12


def test_its_scores_are_those_after_the_last_step():
    case = Case(steps=2)
    _, scores = hf_maml(case).meta_gradient(case.parameters(), case.batch())
    expected, _ = case.algorithm().meta_loss(case.parameters(), case.batch())
    torch.testing.assert_close(scores.losses, expected.detach())
    assert not scores.losses.requires_grad


def certificate(case: Case, **settings) -> dict:
    algorithm, parameters = hf_maml(case, **settings), case.parameters()
    single = {name: value.detach().float() for name, value in parameters.items()}
    batch = case.images().sample_batch((0, case.seed, 1), case.tasks, case.task)
    return certify_approximation(algorithm, single, batch, chunk=2)


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_the_error_of_its_second_order_term_is_certified(model):
    record = certificate(Case(model))
    assert 0 < record["relative_difference"] < 0.01 < record["tolerance"]
    assert (record["reference"], record["dtype"], record["tasks"]) == ("the exact second-order term", "float32", 3)


def test_signs_that_change_make_a_small_perturbation_useless_and_no_limit_stops_them():
    record = certificate(Case(), fixed_relu=False)
    assert record["relative_difference"] > 1 and record["tolerance"] is None


def test_an_error_that_is_too_large_is_one_line():
    with pytest.raises(UserError, match="HF-MAML's first meta-gradient is .* away from the exact one") as refusal:
        certificate(Case(), perturbation=1.0)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("case", [Case(steps=0), Case()])
def test_only_an_approximation_that_adapts_is_certified(case):
    algorithm = hf_maml(case) if case.steps == 0 else case.algorithm()
    assert certify_approximation(algorithm, case.parameters(), case.batch(), 2) is None


def test_its_alignment_compares_it_with_the_exact_meta_gradient():
    case = Case()
    (whole, *_) = measure_alignment(hf_maml(case), case.parameters(), [case.batch()], 0)
    assert whole.cosine == pytest.approx(1, abs=1e-6) and whole.norm_ratio == pytest.approx(1, abs=1e-3)
