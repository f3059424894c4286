import pytest
import torch
from cases import Case
from oracles import distance, scaled_meta_gradient

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.gradient_alignment import measure_alignment
from metaglot.training.gradient_parity import certify_parity

FACTORS = [0.0, 0.05, 0.5, 1.0, 1.5]
both = pytest.mark.parametrize("model", ["fc", "conv"])


def scaled(case: Case, factor: float) -> MAML:
    settings = MAML.Settings(second_order=factor)
    return MAML(create_network(case.model), case.fast_lr, case.steps, settings=settings)


@both
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("factor", FACTORS)
def test_the_factor_scales_the_second_order_term_of_every_step(model, steps, factor):
    case = Case(model, steps=steps)
    parameters = case.parameters()
    gradients, _ = scaled(case, factor).meta_gradient(parameters, case.batch())
    assert distance(dict(zip(parameters, gradients, strict=True)), scaled_meta_gradient(case, factor)) < 1e-11


@pytest.mark.parametrize(("factor", "kind"), [(0.0, FOMAML), (1.0, MAML)])
@both
def test_its_ends_are_fomaml_and_maml_to_the_last_bit(model, factor, kind):
    case = Case(model, steps=2)
    parameters, batch = case.parameters(), case.batch()
    gradients, _ = scaled(case, factor).meta_gradient(parameters, batch)
    expected, _ = kind(create_network(model), case.fast_lr, case.steps).meta_gradient(parameters, batch)
    assert all(torch.equal(a, b) for a, b in zip(gradients, expected, strict=True))


@pytest.mark.parametrize("factor", FACTORS)
def test_the_factor_changes_no_loss(factor):
    case = Case(steps=3)
    batch, parameters = case.batch(), case.parameters()
    assert torch.equal(
        scaled(case, factor).meta_loss(parameters, batch)[0], scaled(case, 1.0).meta_loss(parameters, batch)[0]
    )


@both
@pytest.mark.parametrize("factor", FACTORS)
def test_both_engines_compute_the_same(model, factor):
    case = Case(model, steps=2)
    parity = certify_parity(scaled(case, factor), case.module(), case.parameters(), case.batch(), chunk=2)
    assert parity["relative_difference"] < 1e-11
    parameters = case.parameters()
    gradients, _ = Learn2LearnEngine(scaled(case, factor), case.module()).meta_gradient(parameters, case.batch())
    assert distance(dict(zip(parameters, gradients, strict=True)), scaled_meta_gradient(case, factor)) < 1e-11


@pytest.mark.parametrize(("factor", "approximate"), [(0.0, 0.0), (0.5, 0.5), (1.0, 0.0), (1.5, 1.5)])
def test_its_alignment_compares_the_gradient_of_training_with_the_exact_one(factor, approximate):
    case = Case(steps=2)
    rows = measure_alignment(scaled(case, factor), case.parameters(), [case.batch()], iteration=0)
    by_factor = [scaled_meta_gradient(case, c) for c in (approximate, 1.0)]
    first, exact = (torch.cat([gradient[n].flatten() for n in create_network("fc").names]) for gradient in by_factor)
    assert rows[0].cosine == pytest.approx(torch.cosine_similarity(first, exact, dim=0).item())
    assert rows[0].norm_ratio == pytest.approx((first.norm() / exact.norm()).item())
