import pytest
import torch
from cases import Case
from oracles import cosine_and_norm_ratio, distance, identical, meta_gradient, scaled_meta_gradient

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.gradient_alignment import measure_alignment

FACTORS = [0.0, 0.05, 0.5, 1.0, 1.5]
both = pytest.mark.parametrize("model", ["fc", "conv"])


def scaled(case: Case, factor: float) -> MAML:
    settings = MAML.Settings(second_order=factor)
    return MAML(create_network(case.model), case.fast_lr, case.steps, settings=settings)


@both
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("factor", FACTORS)
def test_the_factor_scales_the_second_order_term_of_every_step_by_both_engines_and_changes_no_loss(
    model, steps, factor
):
    case = Case(model, steps=steps)
    algorithm, parameters, batch = scaled(case, factor), case.parameters(), case.batch()
    expected, (losses, _) = scaled_meta_gradient(case, factor), scaled(case, 1.0).meta_loss(parameters, batch)
    for engine in (algorithm, Learn2LearnEngine(algorithm, case.module())):
        gradient, scores = meta_gradient(engine, parameters, batch)
        assert distance(gradient, expected) < 1e-11
        torch.testing.assert_close(scores.losses, losses.detach())


@pytest.mark.parametrize(
    ("factor", "kind", "first_order"), [(0.0, FOMAML, False), (1.0, MAML, False), (1.0, FOMAML, True)]
)
@both
def test_its_ends_are_fomaml_and_maml_to_the_last_bit(model, factor, kind, first_order):
    case = Case(model, steps=2)
    algorithm, parameters, batch = scaled(case, factor), case.parameters(), case.batch()
    algorithm = MAML(algorithm.network, case.fast_lr, case.steps, first_order, algorithm.settings)
    expected, _ = meta_gradient(kind(algorithm.network, case.fast_lr, case.steps), parameters, batch)
    assert identical(meta_gradient(algorithm, parameters, batch)[0], expected)


@pytest.mark.parametrize(("factor", "approximate"), [(0.0, 0.0), (0.5, 0.5), (1.0, 0.0), (1.5, 1.5)])
def test_its_alignment_compares_the_gradient_of_training_with_the_exact_one(factor, approximate):
    case = Case(steps=2)
    rows = measure_alignment(scaled(case, factor), case.parameters(), [case.batch()], iteration=0)
    expected = cosine_and_norm_ratio(*(scaled_meta_gradient(case, c) for c in (approximate, 1.0)))
    assert (rows[0].cosine, rows[0].norm_ratio) == pytest.approx(expected)
