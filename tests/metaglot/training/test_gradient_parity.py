import pytest
import torch
from cases import Case
from error_lines import error_line
from oracles import identical

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.common.errors import UserError
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.gradient_parity import certify_parity


class SlightlyWrong(MAML):
    """One number of its gradient is wrong, by a billionth of the norm."""

    def meta_gradient(self, parameters, batch):
        gradient, outcome = super().meta_gradient(parameters, batch)
        gradient[-1][0] += 1e-9 * torch.stack([g.norm() for g in gradient]).norm()
        return gradient, outcome


class OneStepMore(MAML):
    """Takes a step more than `adaptation_steps`."""

    def meta_loss(self, parameters, batch):
        return MAML(self.network, self.fast_lr, self.adaptation_steps + 1).meta_loss(parameters, batch)


class FirstOrderInFact(MAML):
    """Claims to be of second order."""

    def meta_loss(self, parameters, batch):
        return FOMAML(self.network, self.fast_lr, self.adaptation_steps).meta_loss(parameters, batch)


def certificate(algorithm, case: Case):
    return certify_parity(algorithm, case.module(), case.parameters(), case.batch(), chunk=2)


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("first_order", [True, False])
def test_the_batched_engine_is_certified(model, first_order):
    case = Case(model, first_order)
    record = certificate(case.algorithm(), case)
    assert record["relative_difference"] <= record["tolerance"] == 1e-10
    assert record["dtype"] == "float64" and record["tasks"] == case.tasks
    assert record["reference"] == "learn2learn 0.2.0"


@pytest.mark.parametrize("kind", [SlightlyWrong, OneStepMore, FirstOrderInFact])
def test_a_wrong_gradient_is_a_one_line_error(kind):
    line = error_line(lambda: certificate(kind(create_network("fc"), 0.4, 1), Case()))
    assert "away from learn2learn's" in line and "lower train.fast_lr or train.adaptation_steps" in line


def test_a_gradient_that_is_not_a_number_is_an_error():
    case = Case()
    parameters = case.parameters()
    parameters["classifier.bias"].data[0] = float("nan")
    with pytest.raises(UserError, match="nan"):
        certify_parity(case.algorithm(), case.module(), parameters, case.batch(), 2)


def test_certifying_leaves_the_weights_and_their_type_alone():
    case = Case()
    single, before = case.single_parameters(), case.single_parameters()
    certify_parity(case.algorithm(), case.module(), single, case.batch(), 2)
    assert all(value.dtype == torch.float and value.grad is None for value in single.values())
    assert identical(single, before)
