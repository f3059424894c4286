import pytest
import torch
from cases import Case
from oracles import Gradient, distance, hessian_times, meta_gradient, plain_tasks, slope

from metaglot.algorithms.imaml import IMAML
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters

LAMBDA = 2.0


def imaml(case: Case, cg_steps: int = 5, damping: float = 0.0) -> IMAML:
    settings = IMAML.Settings(regularisation=LAMBDA, cg_steps=cg_steps, damping=damping)
    return IMAML(create_network(case.model), case.fast_lr, case.steps, settings=settings)


def inner(first: Gradient, second: Gradient) -> float:
    return sum((first[name] * second[name]).sum().item() for name in first)


def plus(first: Gradient, second: Gradient, factor: float) -> Gradient:
    return {name: first[name] + factor * second[name] for name in first}


def by_hand(case: Case, cg_steps: int, damping: float) -> Gradient:
    """The mean over the tasks of conjugate gradients on the damped system, with whole vectors of plain weights."""
    module, mean = case.module(), {}
    names = create_network(case.model).names
    start = {n: v.detach() for n, v in module_parameters(module).items()}
    for support_loss, query_loss in plain_tasks(case, module, case.batch()):
        weights = {name: value.clone().requires_grad_() for name, value in start.items()}
        for _ in range(case.steps):
            gradient = slope(support_loss, weights)
            weights = {
                n: (w - case.fast_lr * (gradient[n] + LAMBDA * (w - start[n]))).detach().requires_grad_()
                for n, w in weights.items()
            }
        target = slope(query_loss, weights)
        residual = search = {n: g if n in names else torch.zeros_like(g) for n, g in target.items()}
        solution = {name: torch.zeros_like(value) for name, value in target.items()}
        for _ in range(cg_steps):
            image = plus(search, hessian_times(support_loss, weights, search), 1 / (LAMBDA + damping))
            length = inner(residual, residual) / inner(search, image)
            solution, shorter = plus(solution, search, length), plus(residual, image, -length)
            search = plus(shorter, search, inner(shorter, shorter) / inner(residual, residual))
            residual = shorter
        mean = {n: mean.get(n, 0) + v / case.tasks for n, v in solution.items()}
    return mean


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize(("steps", "cg_steps", "damping"), [(0, 2, 0.0), (3, 5, 0.0), (1, 2, 22.0)])
def test_its_meta_gradient_is_that_of_whole_vectors(model, steps, cg_steps, damping):
    case = Case(model, steps=steps, fast_lr=0.1)
    gradient, _ = meta_gradient(BatchedEngine(imaml(case, cg_steps, damping), 2), case.parameters(), case.batch())
    assert distance(gradient, by_hand(case, cg_steps, damping)) < 1e-9


def test_its_scores_are_those_after_the_last_step():
    case = Case(steps=2, fast_lr=0.1)
    parameters, batch = case.parameters(), case.batch()
    _, scores = imaml(case).meta_gradient(parameters, batch)
    torch.testing.assert_close(scores.losses, imaml(case).meta_loss(parameters, batch)[0])
