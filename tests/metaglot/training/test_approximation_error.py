import pytest
import torch
from cases import Case

from metaglot.algorithms.hf_maml import HFMAML
from metaglot.core.common.errors import UserError
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.approximation_error import certify_approximation


class WithoutOrder(HFMAML):
    first_order = None


def test_an_algorithm_without_an_order_has_no_second_order_term_to_certify():
    case = Case()
    algorithm = WithoutOrder(create_network("fc"), case.fast_lr, case.steps)
    assert certify_approximation(algorithm, case.parameters(), case.batch(), 2) is None


@pytest.mark.parametrize("fixed_relu", [True, False])
def test_an_error_that_is_not_a_number_stops_the_run_with_and_without_a_tolerance(fixed_relu):
    case = Case()
    algorithm = HFMAML(create_network("fc"), case.fast_lr, case.steps, settings=HFMAML.Settings(fixed_relu=fixed_relu))
    parameters = {name: value.detach() * torch.nan for name, value in case.parameters().items()}
    with pytest.raises(UserError, match="HF-MAML's first meta-gradient is nan of its norm away"):
        certify_approximation(algorithm, parameters, case.batch(), 2)
