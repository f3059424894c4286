import learn2learn as l2l
import pytest
import torch
from cases import Case
from oracles import distance, gradient_of, losses_after_steps, meta_gradient, slope
from torch import Tensor

from metaglot.algorithms.maml import MAML
from metaglot.algorithms.meta_curvature import MetaCurvature
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.functional_networks import create_network

both = pytest.mark.parametrize("model", ["fc", "conv"])


def started(case: Case) -> tuple[MetaCurvature, dict[str, Tensor]]:
    """With random maps near the identity."""
    algorithm, random = MetaCurvature(create_network(case.model), case.fast_lr, case.steps), torch.Generator()
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    for name, value in parameters.items():
        noise = torch.randn(value.shape, generator=random.manual_seed(1), dtype=torch.double)
        parameters[name] = value + 0.2 * noise / len(value) ** 0.5 if name.startswith("curvature.") else value
    return algorithm, {name: value.detach().requires_grad_() for name, value in parameters.items()}


def mapped(gradient: Tensor, maps: list[Tensor]) -> Tensor:
    """The mode products, written as sums over indices."""
    if gradient.dim() == 1:
        return gradient * maps[0]
    if gradient.dim() == 2:
        return torch.einsum("oi,po,qi->pq", gradient, *maps)
    return torch.einsum("oik,po,qi,rk->pqr", gradient.flatten(2), *maps).view_as(gradient)


def by_hand(case: Case, parameters: dict[str, Tensor], transform=mapped) -> Tensor:
    """Each task's query loss after plain steps along mapped gradients."""
    adapting = create_network(case.model).names
    maps = {name: [v for n, v in parameters.items() if n.startswith(f"curvature.{name}.")] for name in adapting}

    def take_step(step, weights, support_loss):
        gradient = slope(support_loss, weights, create_graph=True)
        return weights | {n: weights[n] - case.fast_lr * transform(gradient[n], maps[n]) for n in adapting}

    return losses_after_steps(case, {name: parameters[name] for name in case.parameters()}, take_step)


@both
@pytest.mark.parametrize("steps", [1, 3])
def test_its_meta_gradient_is_that_of_plain_steps_along_mapped_gradients(model, steps):
    case = Case(model, steps=steps, tasks=2)
    algorithm, parameters = started(case)
    actual, scores = meta_gradient(BatchedEngine(algorithm, 1), parameters, case.batch())
    losses = by_hand(case, parameters)
    torch.testing.assert_close(scores.losses, losses.detach(), rtol=1e-11, atol=0)
    assert distance(actual, gradient_of(losses.mean(), parameters)) < 1e-11


@both
def test_its_map_is_learn2learns(model):
    case = Case(model)
    _, parameters = started(case)

    def learn2learns(gradient: Tensor, maps: list[Tensor]) -> Tensor:
        transform = l2l.optim.transforms.MetaCurvatureTransform(gradient)
        names = ["mc"] if gradient.dim() == 1 else ["mc_in", "mc_out", "mc_f"]
        for name, matrix in zip(names, maps, strict=False):
            setattr(transform, name, torch.nn.Parameter(matrix.detach().mT if name == "mc_out" else matrix.detach()))
        return transform(gradient)

    torch.testing.assert_close(by_hand(case, parameters), by_hand(case, parameters, learn2learns))


@both
def test_it_starts_as_maml(model):
    case = Case(model, steps=2)
    algorithm, batch = MetaCurvature(create_network(model), case.fast_lr, 2), case.batch()
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    assert set(algorithm.names) <= set(parameters)
    losses, _ = algorithm.meta_loss(parameters, batch)
    torch.testing.assert_close(losses, MAML(create_network(model), case.fast_lr, 2).meta_loss(parameters, batch)[0])


def test_no_task_has_a_matrix_of_its_own():
    case = Case(steps=2)
    algorithm, parameters = started(case)
    batch = case.batch()
    adapted = list(zip(range(3), algorithm.adapt(parameters, batch.support, batch.support_labels), strict=False))[-1][1]
    first = adapted.fast["features.1.0.linear.weight"]
    assert first.per_task is None and first.low_rank.inputs.shape[1] == case.ways * case.shots
