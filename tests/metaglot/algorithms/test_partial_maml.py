import pytest
import torch
from cases import Case
from oracles import cosine_and_norm_ratio, distance, identical, meta_gradient, scaled_meta_gradient

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.partial_maml import PartialMAML
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.training.gradient_alignment import measure_alignment

both = pytest.mark.parametrize("model", ["fc", "conv"])
LAYERS = ["classifier", "features.1.3", "features.1.2", "features.1.1", "features.1.0"]


def partly(case: Case, **settings) -> PartialMAML:
    return PartialMAML(create_network(case.model), case.fast_lr, case.steps, settings=PartialMAML.Settings(**settings))


def masked_meta_gradient(case: Case, layers: int, exact_tasks: int) -> dict[str, torch.Tensor]:
    """The oracle, with the second-order term of these layers, from the head, and of the first tasks."""
    kept = tuple(f"{layer}." for layer in LAYERS[:layers])
    return scaled_meta_gradient(case, 1.0, lambda task, name: task < exact_tasks and name.startswith(kept))


@both
@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize("layers", range(6))
def test_only_the_inner_gradients_of_the_last_layers_are_differentiated(model, steps, layers):
    case = Case(model, steps=steps)
    actual, _ = meta_gradient(partly(case, layers=layers), case.parameters(), case.batch())
    assert distance(actual, masked_meta_gradient(case, layers, case.tasks)) < 1e-11


@both
@pytest.mark.parametrize("chunk", [1, 3, 4])
@pytest.mark.parametrize(("fraction", "exact"), [(0.0, 0), (0.25, 1), (0.5, 2), (1.0, 4)])
def test_a_fraction_of_the_meta_batch_has_a_second_order_term_and_no_loss_changes(model, fraction, exact, chunk):
    case = Case(model, tasks=4)
    parameters, batch = case.parameters(), case.batch()
    actual, scores = meta_gradient(BatchedEngine(partly(case, tasks=fraction), chunk), parameters, batch)
    assert distance(actual, masked_meta_gradient(case, 5, exact)) < 1e-11
    losses, expected = case.algorithm().meta_loss(parameters, batch)
    torch.testing.assert_close(scores.losses, losses.detach())
    torch.testing.assert_close(scores.accuracies, expected.accuracies)


@pytest.mark.parametrize(("settings", "kind"), [({}, MAML), ({"layers": 0}, FOMAML), ({"tasks": 0.0}, FOMAML)], ids=str)
@both
def test_its_ends_are_fomaml_and_maml_to_the_last_bit(model, settings, kind):
    case = Case(model, steps=2)
    parameters, batch = case.parameters(), case.batch()
    expected, _ = meta_gradient(kind(create_network(model), case.fast_lr, case.steps), parameters, batch)
    engine = BatchedEngine(partly(case, **settings), case.tasks)
    assert identical(meta_gradient(engine, parameters, batch)[0], expected)


@pytest.mark.parametrize(
    ("settings", "layers", "exact_tasks"), [({"layers": 1}, 1, 4), ({"tasks": 0.5}, 5, 2)], ids=str
)
def test_its_alignment_compares_the_gradient_of_training_with_the_exact_one(settings, layers, exact_tasks):
    case = Case(steps=2, tasks=4)
    rows = measure_alignment(partly(case, **settings), case.parameters(), [case.batch()], iteration=0)
    ours, exact = masked_meta_gradient(case, layers, exact_tasks), masked_meta_gradient(case, 5, 4)
    assert (rows[0].cosine, rows[0].norm_ratio) == pytest.approx(cosine_and_norm_ratio(ours, exact))
