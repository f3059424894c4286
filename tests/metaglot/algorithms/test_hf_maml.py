import pytest
import torch
from cases import Case
from oracles import distance, meta_gradient, scaled_meta_gradient

from metaglot.algorithms.hf_maml import HFMAML
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.gradient_alignment import measure_alignment


def hf_maml(case: Case, **settings) -> HFMAML:
    return HFMAML(create_network(case.model), case.fast_lr, case.steps, settings=HFMAML.Settings(**settings))


def error(case: Case, perturbation: float) -> float:
    """Against the product of I - a H, with Hessian-vector products by automatic differentiation of plain modules."""
    engine = BatchedEngine(hf_maml(case, perturbation=perturbation), 2)
    return distance(meta_gradient(engine, case.parameters(), case.batch())[0], scaled_meta_gradient(case, 1.0))


@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_its_meta_gradient_is_mamls_up_to_the_square_of_the_perturbation(model, steps):
    case = Case(model, steps=steps)
    assert 50 < error(case, 1e-2) / error(case, 1e-3) < 200
    assert error(case, 1e-4) < 1e-7


def test_without_a_step_it_is_exact():
    assert error(Case(steps=0), 1e-2) < 1e-12


def test_its_scores_are_those_after_the_last_step():
    case = Case(steps=2)
    _, scores = hf_maml(case).meta_gradient(case.parameters(), case.batch())
    expected, _ = case.algorithm().meta_loss(case.parameters(), case.batch())
    torch.testing.assert_close(scores.losses, expected.detach())
    assert not scores.losses.requires_grad


def test_its_alignment_compares_it_with_the_exact_meta_gradient():
    case = Case()
    (whole, *_) = measure_alignment(hf_maml(case), case.parameters(), [case.batch()], 0)
    assert whole.cosine == pytest.approx(1, abs=1e-6) and whole.norm_ratio == pytest.approx(1, abs=1e-3)
