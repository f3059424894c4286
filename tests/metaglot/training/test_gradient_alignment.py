import math
from dataclasses import replace

import pytest
import torch
from cases import Case
from oracles import identical, learn2learn, meta_gradient

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.meta_sgd import MetaSGD
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.gradient_alignment import measure_alignment


class WithoutOrder(MAML):
    first_order = None


def layer_of(name: str) -> str:
    return next((f"features.1.{i}" for i in range(4) if name.startswith(f"features.1.{i}.")), "classifier")


@pytest.mark.parametrize("kind", [MAML, FOMAML])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_it_compares_learn2learns_two_gradients_whole_and_by_layer(model, kind):
    case = Case(model, tasks=5, steps=2)
    batch, names = case.batch(), create_network(model).names
    first, second = (learn2learn(replace(case, first_order=o), case.module(), batch)[0] for o in (True, False))
    rows = measure_alignment(
        kind(create_network(model), case.fast_lr, case.steps), case.parameters(), batch.chunks(2), iteration=3
    )
    assert [row.layer for row in rows] == ["all", *(f"features.1.{i}" for i in range(4)), "classifier"]
    for iteration, layer, cosine, norm_ratio in rows:
        assert iteration == 3
        a, b = (
            torch.cat([gradient[name].flatten() for name in names if layer in ("all", layer_of(name))])
            for gradient in (first, second)
        )
        assert cosine == pytest.approx(torch.cosine_similarity(a, b, dim=0).item())
        assert norm_ratio == pytest.approx((a.norm() / b.norm()).item())
        assert not math.isclose(cosine, 1, abs_tol=1e-4)


def test_all_learned_rates_are_one_layer():
    case = Case()
    algorithm = MetaSGD(create_network("fc"), case.fast_lr, case.steps)
    initial = algorithm.initial_parameters(case.parameters(), case.images())
    parameters = {name: value.detach().requires_grad_() for name, value in initial.items()}
    layers = [row.layer for row in measure_alignment(algorithm, parameters, [case.batch()], 0)]
    assert layers == ["all", *(f"features.1.{i}" for i in range(4)), "classifier", "rates"]


def test_rates_of_no_step_have_no_gradient_and_no_row():
    case = Case(steps=0)
    algorithm = MetaSGD(create_network("fc"), case.fast_lr, 0)
    initial = algorithm.initial_parameters(case.parameters(), case.images())
    parameters = {name: value.detach().requires_grad_() for name, value in initial.items()}
    rows = measure_alignment(algorithm, parameters, [case.batch()], 0)
    assert [row.layer for row in rows] == ["all", *(f"features.1.{i}" for i in range(4)), "classifier"]


def test_without_a_step_both_gradients_are_one():
    case = Case(steps=0)
    rows = measure_alignment(case.algorithm(), case.parameters(), [case.batch()], 0)
    assert [row.cosine for row in rows] == pytest.approx([1] * 6)
    assert [row.norm_ratio for row in rows] == pytest.approx([1] * 6)


def test_an_algorithm_without_order_has_no_alignment():
    case = Case()
    assert measure_alignment(WithoutOrder(create_network("fc"), 0.4, 1), case.parameters(), [case.batch()], 0) == []


def test_measuring_leaves_the_algorithm_as_it_was():
    case = Case(first_order=True)
    algorithm = case.algorithm()
    before, _ = meta_gradient(algorithm, case.parameters(), case.batch())
    measure_alignment(algorithm, case.parameters(), [case.batch()], 0)
    after, _ = meta_gradient(algorithm, case.parameters(), case.batch())
    assert algorithm.first_order is True and identical(before, after)
