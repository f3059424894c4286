import pytest
import torch
from cases import Case
from oracles import distance, hessian_times, identical, meta_gradient, plain_tasks, slope

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.partial_maml import PartialMAML
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.training.gradient_alignment import measure_alignment

both = pytest.mark.parametrize("model", ["fc", "conv"])
LAYERS = ["classifier", "features.1.3", "features.1.2", "features.1.1", "features.1.0"]


def partly(case: Case, **settings) -> PartialMAML:
    return PartialMAML(create_network(case.model), case.fast_lr, case.steps, settings=PartialMAML.Settings(**settings))


def masked_meta_gradient(case: Case, layers: int, exact_tasks: int) -> dict[str, torch.Tensor]:
    """(I - a H M) g of every step, by automatic differentiation of plain modules."""
    module, sums = case.module(), {}
    start = {name: value.detach().requires_grad_() for name, value in module_parameters(module).items()}
    kept = tuple(f"{layer}." for layer in LAYERS[:layers])
    for task, (support_loss, query_loss) in enumerate(plain_tasks(case, module, case.batch())):
        path = [start]
        for _ in range(case.steps):
            gradient = slope(support_loss, path[-1])
            path.append({n: (w - case.fast_lr * gradient[n]).detach().requires_grad_() for n, w in path[-1].items()})
        vector = slope(query_loss, path[-1])
        for weights in reversed(path[:-1] if task < exact_tasks else []):
            masked = {n: v * n.startswith(kept) if layers else v * 0 for n, v in vector.items()}
            curved = hessian_times(support_loss, weights, masked)
            vector = {n: v - case.fast_lr * curved[n] for n, v in vector.items()}
        sums = {n: sums.get(n, 0) + v / case.tasks for n, v in vector.items()}
    return sums


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


def test_its_alignment_compares_the_gradient_of_training_with_the_exact_one():
    case = Case(steps=2)
    rows = measure_alignment(partly(case, layers=1), case.parameters(), [case.batch()], iteration=0)
    ours, exact = masked_meta_gradient(case, 1, case.tasks), masked_meta_gradient(case, 5, case.tasks)
    first, second = (
        torch.cat([gradient[n].flatten() for n in create_network("fc").names]) for gradient in (ours, exact)
    )
    assert rows[0].cosine == pytest.approx(torch.cosine_similarity(first, second, dim=0).item())
    assert rows[0].norm_ratio == pytest.approx((first.norm() / second.norm()).item())


def test_its_alignment_leaves_out_the_term_of_the_other_tasks_too():
    case = Case(steps=1, tasks=4)
    rows = measure_alignment(partly(case, tasks=0.5), case.parameters(), [case.batch()], iteration=0)
    ours, exact = masked_meta_gradient(case, 5, 2), masked_meta_gradient(case, 5, 4)
    first, second = (
        torch.cat([gradient[n].flatten() for n in create_network("fc").names]) for gradient in (ours, exact)
    )
    assert rows[0].cosine == pytest.approx(torch.cosine_similarity(first, second, dim=0).item())
