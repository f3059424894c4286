"""Independent implementations to compare with: learn2learn used as its documentation shows, plain PyTorch."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from cases import Case
from torch import Tensor, nn
from torch.func import functional_call

from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.batched_engine import Engine
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.learners.task_classifier import TaskScores
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import TaskBatch

Gradient = dict[str, Tensor]
Loss = Callable[[Gradient], Tensor]  # of a network's weights


def learn2learn(case: Case, module: nn.Module, batch: TaskBatch) -> tuple[Gradient, Tensor, Tensor]:
    """The mean meta-gradient, and each task's query loss and accuracy, as learn2learn's examples compute them."""
    maml = l2l.algorithms.MAML(module, lr=case.fast_lr, first_order=case.first_order)
    losses, accuracies = [], []
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        learner = maml.clone()
        for _ in range(case.steps):
            learner.adapt(F.cross_entropy(learner(support[:, None]), labels))
        logits = learner(query[:, None])
        losses.append(F.cross_entropy(logits, query_labels))
        accuracies.append((logits.argmax(1) == query_labels).double().mean())
    torch.stack(losses).mean().backward()
    gradient = {name: p.grad for name, p in module.named_parameters(remove_duplicate=False) if p.grad is not None}
    return gradient, torch.stack(losses).detach(), torch.stack(accuracies)


def plain_tasks(case: Case, module: nn.Module, batch: TaskBatch) -> list[tuple[Loss, Loss]]:
    """Each task's support loss and query loss as functions of plain weights."""
    call = partial(functional_call, module, tie_weights=False)  # OmniglotCNN has its blocks twice

    def loss(images: Tensor, labels: Tensor, weights: Gradient) -> Tensor:
        return F.cross_entropy(call(weights, images[:, None]), labels)

    return [(partial(loss, *task[:2]), partial(loss, *task[2:])) for task in zip(*batch.parts(), strict=True)]


def losses_after_steps(case: Case, start: Gradient, take_step: Callable[[int, Gradient, Loss], Gradient]) -> Tensor:
    """Each task's query loss after plain steps; `take_step` goes from weights to the next, down the support loss."""
    losses = []
    for support_loss, query_loss in plain_tasks(case, case.module(), case.batch()):
        weights = start
        for step in range(case.steps):
            weights = take_step(step, weights, support_loss)
        losses.append(query_loss(weights))
    return torch.stack(losses)


def nearest_mean(seen: Tensor, labels: Tensor, asked: Tensor) -> Tensor:
    """One task's logits: the negative squared distance of each query's features to each class's mean features."""
    means = torch.stack([seen[labels == label].mean(0) for label in labels.unique()])
    return torch.stack([-(features - means).square().sum(1) for features in asked])


def nearest_mean_scores(module: nn.Module, batch: TaskBatch) -> tuple[Tensor, Tensor]:
    """Each task's query loss and accuracy by the nearest class mean of the module's features."""
    losses, accuracies = [], []
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        logits = nearest_mean(module.features(support[:, None]), labels, module.features(query[:, None]))
        losses.append(F.cross_entropy(logits, query_labels))
        accuracies.append((logits.argmax(1) == query_labels).double().mean())
    return torch.stack(losses), torch.stack(accuracies)


def slope(loss: Loss, weights: Gradient, create_graph: bool = False) -> Gradient:
    return gradient_of(loss(weights), weights, create_graph)


def gradient_of(loss: Tensor, weights: Gradient, create_graph: bool = False) -> Gradient:
    """The gradient of a loss that was computed from these weights, by name."""
    gradients = torch.autograd.grad(loss, [*weights.values()], create_graph=create_graph, materialize_grads=True)
    return dict(zip(weights, gradients, strict=True))


def hessian_times(loss: Loss, weights: Gradient, direction: Gradient) -> Gradient:
    """The Hessian of a loss times a direction, by differentiating the gradient's product with it."""
    return slope(lambda w: sum((g * direction[n]).sum() for n, g in slope(loss, w, create_graph=True).items()), weights)


def scaled_meta_gradient(
    case: Case, second_order: float, keeps: Callable[[int, str], bool] = lambda task, name: True
) -> Gradient:
    """The product of the factors I - c a H of every step, from the last to the first, times the query gradient.

    keeps: whether the factor c is second_order for a task and a parameter; else it is 0.
    """
    module, sums = case.module(), {}
    start = {name: value.detach().requires_grad_() for name, value in module_parameters(module).items()}
    for task, (support_loss, query_loss) in enumerate(plain_tasks(case, module, case.batch())):
        path = [start]
        for _ in range(case.steps):
            gradient = slope(support_loss, path[-1])
            path.append({n: (w - case.fast_lr * gradient[n]).detach().requires_grad_() for n, w in path[-1].items()})
        vector = slope(query_loss, path[-1])
        for weights in reversed(path[:-1]):
            curved = hessian_times(support_loss, weights, {n: v * keeps(task, n) for n, v in vector.items()})
            vector = {n: v - second_order * case.fast_lr * curved[n] for n, v in vector.items()}
        sums = {n: sums.get(n, 0) + v / case.tasks for n, v in vector.items()}
    return sums


def cosine_and_norm_ratio(first: Gradient, exact: Gradient) -> tuple[float, float]:
    one, other = (torch.cat([gradient[name].flatten() for name in sorted(exact)]) for gradient in (first, exact))
    return torch.cosine_similarity(one, other, dim=0).item(), (one.norm() / other.norm()).item()


def check_slope(algorithm: MetaLearner, case: Case, name: str) -> None:
    """Compare a meta-gradient with the meta-loss's slope along a random change of one parameter.

    Unlike learn2learn's engine this reads no `first_order`, so it sees a second-order term that is missing.
    """
    batch = case.batch()
    initial = algorithm.initial_parameters(case.parameters(), case.images())
    parameters = {n: value.detach().requires_grad_() for n, value in initial.items()}
    gradient = dict(zip(parameters, algorithm.meta_gradient(parameters, batch)[0], strict=True))[name]
    direction = torch.randn(gradient.shape, generator=torch.Generator().manual_seed(0), dtype=torch.double)

    def loss(step: float) -> float:
        changed = {n: value.detach() + (step * direction if n == name else 0) for n, value in parameters.items()}
        return algorithm.meta_loss(changed, batch)[0].mean().item()

    slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
    assert (gradient * direction).sum().item() == pytest.approx(slope, rel=1e-5)


def meta_gradient(engine: Engine | MetaLearner, parameters: Gradient, batch: TaskBatch) -> tuple[Gradient, TaskScores]:
    """The meta-gradient of an engine or an algorithm, by name; and the query scores."""
    gradients, scores = engine.meta_gradient(parameters, batch)
    return dict(zip(parameters, gradients, strict=True)), scores


def gradients_of(module: nn.Module) -> Gradient:
    """What `backward` left in a module's parameters; 0 where it left nothing."""
    named = module_parameters(module).items()
    return {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in named}


def identical(first: Gradient, second: Gradient) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


def distance(actual: Gradient, expected: Gradient) -> float:
    """The norm of the difference of two whole gradients over the norm of the expected one."""
    names = list(actual)
    apart = torch.stack([(actual[name].double() - expected[name].double()).norm() for name in names])
    whole = torch.stack([expected[name].double().norm() for name in names])
    return (apart.norm() / whole.norm()).item()


def adam(module: nn.Module, lr: float) -> torch.optim.Adam:
    """Reptile's inner optimiser."""
    return torch.optim.Adam(module.parameters(), lr=lr, betas=(0.0, 0.999))


@torch.no_grad()
def inductive(module: nn.Module, support: Tensor, query: Tensor) -> Tensor:
    """Logits of one task's queries, where at each layer batch norm takes the support set's mean and biased variance."""
    convolves = hasattr(module.features[1][0], "conv")
    support, query = (x[:, None] if convolves else x.flatten(1) for x in (support, query))
    for block in module.features[1]:
        layer, norm = (block.conv if convolves else block.linear), block.normalize
        support, query = layer(support), layer(query)
        over = (0, 2, 3) if convolves else 0
        seen = support.mean(over), support.var(over, correction=0)
        support, query = (F.batch_norm(z, *seen, norm.weight, norm.bias, eps=norm.eps).relu() for z in (support, query))
    return module.classifier(query.mean((2, 3)) if convolves else query)
