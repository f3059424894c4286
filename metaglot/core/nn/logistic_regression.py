"""Logistic regression of many tasks at once, as scikit-learn's: by Newton's method, which needs few steps."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = 50  # at most; a handful is the rule
TOLERANCE = 1e-8  # of the gradient's largest component, where scikit-learn stops at 1e-4


@dataclass(frozen=True)
class Linear:
    """A head for each task: weight [tasks, ways, features], bias [tasks, 1, ways]."""

    weight: Tensor
    bias: Tensor

    def __call__(self, features: Tensor) -> Tensor:
        """features [tasks, m, features] -> logits [tasks, m, ways]."""
        return features @ self.weight.mT + self.bias


@torch.no_grad()
def fit(features: Tensor, labels: Tensor) -> Linear:
    """Minimise the summed cross-entropy plus half the squared weights (C = 1; 2 for two classes), the bias left free.

    features [tasks, n, features]; labels [tasks, n], every class of a task among them. In float64. The
    weights lie in the span of the features, so that a task with few images is a small problem whatever the
    number of features.
    """
    x = features.double()
    _, _, basis = torch.linalg.svd(x, full_matrices=False)  # [tasks, r, features]
    coefficients = _newton(F.pad(x @ basis.mT, (0, 1), value=1.0), F.one_hot(labels).double())
    weight, bias = coefficients[..., :-1] @ basis, coefficients[..., -1].unsqueeze(1)
    return Linear(weight.to(features.dtype), bias.to(features.dtype))


def _newton(x: Tensor, y: Tensor) -> Tensor:
    """x [tasks, n, r + 1], the last column 1; y [tasks, n, ways] of 0 and 1 -> coefficients [tasks, ways, r + 1]."""
    (tasks, _, r), ways = x.shape, y.shape[-1]
    penalty = torch.ones(r, dtype=x.dtype, device=x.device)
    penalty[-1] = 0
    w = x.new_zeros(tasks, ways, r)
    for _ in range(STEPS):
        p = (x @ w.mT).softmax(-1)
        gradient = (p - y).mT @ x + penalty * w
        if gradient.abs().amax() < TOLERANCE:
            break
        step = torch.linalg.solve(_hessian(x, p, penalty), gradient.flatten(1)).view_as(w)
        w = w - _damped(x, y, penalty, w, step)
    return w


def _hessian(x: Tensor, p: Tensor, penalty: Tensor) -> Tensor:
    """[tasks, ways * (r + 1), the same]; biases moved all together change nothing, and are held where they are."""
    ways, r = p.shape[-1], x.shape[-1]
    curvature = torch.diag_embed(p) - p.unsqueeze(-1) * p.unsqueeze(-2)
    blocks = torch.einsum("tnkl,tni,tnj->tkilj", curvature, x, x).flatten(3, 4).flatten(1, 2)
    fixed = torch.zeros(ways, r, ways, r, dtype=x.dtype, device=x.device)
    fixed[:, -1, :, -1] = 1
    return blocks + torch.diag(penalty.repeat(ways)) + fixed.view(ways * r, -1)


def _damped(x: Tensor, y: Tensor, penalty: Tensor, w: Tensor, step: Tensor) -> Tensor:
    """The step, halved in each task until it does not make that task's objective worse."""

    def objective(w: Tensor) -> Tensor:
        logits = x @ w.mT
        return (logits.logsumexp(-1) - (logits * y).sum(-1)).sum(1) + (penalty * w.square()).sum((1, 2)) / 2

    now, size = objective(w), x.new_ones(len(x))
    for _ in range(30):
        worse = objective(w - size.view(-1, 1, 1) * step) > now + 1e-12 * now.abs()
        if not worse.any():
            break
        size = torch.where(worse, size / 2, size)
    return size.view(-1, 1, 1) * step
