"""Meta-gradients against `torch.func` and finite differences, on networks small enough for both."""

from itertools import islice
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from cases import CHARACTERS, Case, cases
from draws import examples
from hypothesis import given
from oracles import Gradient, distance, meta_gradient
from torch import Tensor

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, Block, FunctionalNetwork, create_network
from metaglot.core.tasks.image_store import TaskBatch

SIZE = 6  # of an image's side
EPS = 1e-2


def normalised(z: Tensor) -> Tensor:
    """Batch norm, written out: torch 2.14.1's has a wrong second derivative under nested `torch.func`."""
    over = [i for i in range(z.dim()) if i != 1]
    return (z - z.mean(over, keepdim=True)) / (z.var(over, correction=0, keepdim=True) + EPS).sqrt()


class Small:
    """Two blocks of a few units, linear or convolutional, as a FunctionalNetwork and for `torch.func`."""

    def __init__(self, case: Case):
        self.case, self.convolves = case, case.model == "conv"
        blocks = (Block(f"{n}.weight", f"{n}.scale", f"{n}.shift", EPS, self.convolves) for n in "ab")
        self.network = FunctionalNetwork(tuple(blocks))
        first, second = ((3, 1, 3, 3), (4, 3, 3, 3)) if self.convolves else ((5, SIZE**2), (4, 5))
        shapes: dict[str, Any] = {"a.weight": first, "a.scale": 3 if self.convolves else 5}
        shapes |= {"a.shift": shapes["a.scale"], "b.weight": second, "b.scale": 4, "b.shift": 4}
        shapes |= {HEAD: (case.ways, 4), HEAD_BIAS: case.ways}
        random = torch.Generator().manual_seed(case.seed)
        self.weights = {n: torch.randn(s, dtype=torch.double, generator=random) for n, s in shapes.items()}

    def algorithm(self) -> GradientBased:
        kind = FOMAML if self.case.first_order else MAML
        return kind(self.network, self.case.fast_lr, self.case.steps)

    def batch(self) -> TaskBatch:
        return self.case.but(size=SIZE).batch()

    def logits(self, weights: dict[str, Tensor], x: Tensor) -> Tensor:
        """The logits of one task's images [m, size, size], normalised together."""
        x = x[:, None] if self.convolves else x.flatten(1)
        for n in "ab":
            weight = weights[f"{n}.weight"]
            z = F.conv2d(x, weight, stride=2, padding=1) if self.convolves else F.linear(x, weight)
            scale, shift = (weights[f"{n}.{part}"].view(-1, *[1] * (z.dim() - 2)) for part in ("scale", "shift"))
            x = F.relu(normalised(z) * scale + shift)
        return F.linear(x.mean((2, 3)) if self.convolves else x, weights[HEAD], weights[HEAD_BIAS])

    def task_loss(self, weights: dict[str, Tensor], *task: Tensor) -> Tensor:
        """MAML as in its paper: adapt to the support set; the loss is that of the queries."""
        support, labels, query, query_labels = task
        for _ in range(self.case.steps):
            slope = torch.func.grad(lambda w: F.cross_entropy(self.logits(w, support), labels))(weights)
            slope = {n: g.detach() if self.case.first_order else g for n, g in slope.items()}
            weights = {n: w - self.case.fast_lr * slope[n] for n, w in weights.items()}
        return F.cross_entropy(self.logits(weights, query), query_labels)

    def meta_loss(self, weights: dict[str, Tensor]) -> Tensor:
        in_dims = (None, 0, 0, 0, 0)
        return torch.func.vmap(self.task_loss, in_dims)(weights, *self.batch().parts()).mean()

    def ours(self) -> tuple[Gradient, Tensor]:
        """The meta-gradient by name, and every task's loss."""
        parameters = {n: w.clone().requires_grad_() for n, w in self.weights.items()}
        gradient, outcome = meta_gradient(self.algorithm(), parameters, self.batch())
        return gradient, outcome.losses


@examples(20)
@given(cases().filter(lambda case: case.ways * case.shots >= 4))
def test_the_meta_gradient_is_torch_funcs(case):
    small = Small(case)
    expected, loss = torch.func.grad_and_value(small.meta_loss)(small.weights)
    actual, losses = small.ours()
    torch.testing.assert_close(losses.mean(), loss, rtol=1e-9, atol=1e-12)
    assert distance(actual, expected) <= 1e-10


@examples(10)
@given(cases(first_order=False, tasks=2).filter(lambda case: case.ways * case.shots >= 4 and case.steps < 4))
def test_the_second_order_meta_gradient_is_the_slope_of_the_meta_loss(case):
    small = Small(case)
    actual, _ = small.ours()
    random = torch.Generator().manual_seed(1)
    for name in small.weights:
        direction = torch.randn(small.weights[name].shape, dtype=torch.double, generator=random)
        rise = [_loss_along(small, name, h * direction) for h in (-2e-6, -1e-6, 1e-6, 2e-6)]
        slope = (rise[0] - 8 * rise[1] + 8 * rise[2] - rise[3]) / 12e-6
        scale = actual[name].norm() * direction.norm() + 1e-3
        assert abs((actual[name] * direction).sum().item() - slope) < 1e-6 * scale, name


@torch.no_grad()
def _loss_along(small: Small, name: str, step: Tensor) -> float:
    moved = small.weights | {name: small.weights[name] + step}
    return small.algorithm().meta_loss(moved, small.batch())[1].losses.mean().item()


@pytest.mark.parametrize("kind", [MAML, FOMAML])
def test_what_has_no_effect_has_a_gradient_of_zero(kind):
    case = Case()
    parameters = case.parameters()
    gradients, _ = meta_gradient(kind(create_network("fc"), 0.4, 1), parameters, case.batch())
    assert all(g.shape == parameters[n].shape for n, g in gradients.items())
    assert [n for n, g in gradients.items() if not g.any()] == [f"features.1.{i}.linear.bias" for i in range(4)]


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_without_recorded_gradients_a_classifier_is_the_same(model):
    case = Case(model, steps=2)
    batch, parameters, algorithm = case.batch(), case.parameters(), case.algorithm()
    with torch.no_grad():
        observed = [*islice(algorithm.adapt(parameters, batch.support, batch.support_labels), 3)]
    trained = islice(algorithm.adapt(parameters, batch.support, batch.support_labels), 3)
    for seen, classifier in zip(observed, trained, strict=True):
        torch.testing.assert_close(seen(batch.query), classifier(batch.query).detach())


def test_the_returned_scores_hold_no_graph():
    case = Case(ways=CHARACTERS)
    losses, outcome = case.algorithm().meta_loss(case.parameters(), case.batch())
    assert losses.requires_grad
    assert not outcome.losses.requires_grad and not outcome.accuracies.requires_grad
    assert torch.equal(losses.detach(), outcome.losses)
