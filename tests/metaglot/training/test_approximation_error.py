import pytest
import torch
from cases import Case
from error_lines import error_line

from metaglot.algorithms.hf_maml import HFMAML
from metaglot.algorithms.partial_maml import PartialMAML
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.approximation_error import certify_approximation


class WithoutOrder(HFMAML):
    first_order = None


def hf_maml(case: Case, kind: type[HFMAML] = HFMAML, **settings) -> HFMAML:
    return kind(create_network(case.model), case.fast_lr, case.steps, settings=HFMAML.Settings(**settings))


def certificate(case: Case, **settings) -> dict:
    batch = case.images().sample_batch((0, case.seed, 1), case.tasks, case.task)
    return certify_approximation(hf_maml(case, **settings), case.single_parameters(), batch, chunk=2)


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_the_error_of_a_second_order_term_is_certified(model):
    record = certificate(Case(model))
    assert 0 < record["relative_difference"] < 0.01 and record["tolerance"] == 0.05
    assert (record["reference"], record["dtype"], record["tasks"]) == ("the exact second-order term", "float32", 3)


def test_signs_that_change_make_a_small_perturbation_useless_and_no_limit_stops_them():
    record = certificate(Case(), fixed_relu=False)
    assert record["relative_difference"] > 1 and record["tolerance"] is None


def test_an_error_that_is_too_large_is_one_line():
    line = error_line(lambda: certificate(Case(), perturbation=1.0))
    assert "HF-MAML's first meta-gradient is " in line and " away from the exact one" in line


@pytest.mark.parametrize(
    "algorithm", [hf_maml(Case(steps=0)), hf_maml(Case(), WithoutOrder), Case().algorithm()], ids=lambda a: a.label
)
def test_only_an_approximation_of_a_second_order_term_is_certified(algorithm):
    case = Case()
    assert certify_approximation(algorithm, case.parameters(), case.batch(), 2) is None


@pytest.mark.parametrize("fixed_relu", [True, False])
def test_an_error_that_is_not_a_number_stops_the_run_with_and_without_a_tolerance(fixed_relu):
    case = Case()
    parameters = {name: value.detach() * torch.nan for name, value in case.parameters().items()}
    algorithm = hf_maml(case, fixed_relu=fixed_relu)
    line = error_line(lambda: certify_approximation(algorithm, parameters, case.batch(), 2))
    assert "HF-MAML's first meta-gradient is nan of its norm away" in line and "None" not in line


def test_where_the_exact_term_is_zero_there_is_no_difference_to_tell():
    """As with images that are all the same; a rate of 0 makes it 0 without rounding."""
    case = Case()
    algorithm = PartialMAML(create_network("fc"), 0.0, case.steps, settings=PartialMAML.Settings(layers=1))
    record = certify_approximation(algorithm, case.parameters(), case.batch(), 2)
    assert record is not None and record["relative_difference"] is None
