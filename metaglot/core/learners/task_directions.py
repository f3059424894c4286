"""Directions in the space of the weights, one for every task: gradients, and sums of them.

A direction of a weight matrix is a sum of low-rank products, as the fast weights are. Its inner products come from Gram
matrices, so no task ever has a matrix of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor

from metaglot.core.learners.inner_loop import TaskGradients
from metaglot.core.nn.conv.task_kernels import ConvGradient
from metaglot.core.nn.fast_weights import TaskLinearWeight
from metaglot.core.nn.functional_networks import TaskWeight, TaskWeights
from metaglot.core.nn.weight_updates import LowRankGradient

Products = tuple[LowRankGradient, ...]  # whose sum it is
Part = Products | Tensor  # Tensor: of a kernel or a vector, [tasks, ...]


@dataclass(frozen=True)
class TaskDirections:
    """One direction for each task, by weight."""

    parts: Mapping[str, Part]

    @classmethod
    def of(cls, gradients: TaskGradients) -> "TaskDirections":
        return cls({name: _part(gradient) for name, gradient in gradients.items()})

    def times(self, factor: Tensor | float) -> "TaskDirections":
        """factor: a number, or one for each task, [tasks]."""
        return TaskDirections({name: _scaled(part, factor) for name, part in self.parts.items()})

    def plus(self, other: "TaskDirections") -> "TaskDirections":
        return TaskDirections({name: _sum(part, other.parts[name]) for name, part in self.parts.items()})

    def dot(self, other: "TaskDirections") -> Tensor:
        """Each task's inner product, [tasks]."""
        return torch.stack([_dot(part, other.parts[name]) for name, part in self.parts.items()]).sum(0)

    def norm_bound(self) -> Tensor:
        """An upper bound of each task's norm, [tasks]: the norm if the products of all rows were parallel.

        It costs no Gram matrix, and is never 0, so that it can be divided by.
        """
        norms = torch.stack([_norm_bound(part) for part in self.parts.values()])
        return norms.norm(dim=0).clamp_min(torch.finfo(torch.float).tiny)

    def added_to(self, fast: TaskWeights) -> TaskWeights:
        """The weights after a step in this direction, as long as it is."""
        return {**fast, **{name: _added(fast[name], part) for name, part in self.parts.items()}}

    def mean(self, like: Mapping[str, Tensor]) -> list[Tensor]:
        """The mean over the tasks for each parameter in `like`, in their order and of their shape; 0 elsewhere."""
        return [
            _mean(self.parts[name]).view_as(value) if name in self.parts else torch.zeros_like(value)
            for name, value in like.items()
        ]


def _part(gradient: LowRankGradient | ConvGradient | Tensor) -> Part:
    if isinstance(gradient, LowRankGradient):
        return (gradient,)
    return gradient.dense() if isinstance(gradient, ConvGradient) else gradient


def _scaled(part: Part, factor: Tensor | float) -> Part:
    if isinstance(part, Tensor):
        return part * _like(factor, part)
    return tuple(LowRankGradient(p.grad * _like(factor, p.grad), p.inputs, p.cached) for p in part)


def _like(factor: Tensor | float, part: Tensor) -> Tensor | float:
    return factor.view(-1, *[1] * (part.dim() - 1)) if isinstance(factor, Tensor) else factor


def _sum(one: Part, other: Part) -> Part:
    """Products on the same inputs (a first layer's) become one."""
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        assert isinstance(one, Tensor) and isinstance(other, Tensor)
        return one + other
    by_inputs: dict[int, LowRankGradient] = {}
    for product in (*one, *other):
        key = id(product.inputs)
        by_inputs[key] = by_inputs[key].plus(product) if key in by_inputs else product
    return tuple(by_inputs.values())


def _dot(one: Part, other: Part) -> Tensor:
    """For two products G^T H and A^T B it is the sum of the elements of (G A^T) * (H B^T)."""
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        assert isinstance(one, Tensor) and isinstance(other, Tensor)
        return (one * other).flatten(1).sum(1)
    return torch.stack([((p.grad @ q.grad.mT) * (p.inputs @ q.inputs.mT)).sum((1, 2)) for p in one for q in other]).sum(
        0
    )


def _norm_bound(part: Part) -> Tensor:
    """The sum of the norms of each row's own product g^T h."""
    if isinstance(part, Tensor):
        return part.flatten(1).norm(dim=1)
    return torch.stack([(p.grad.norm(dim=2) * p.inputs.norm(dim=2)).sum(1) for p in part]).sum(0)


def _added(weight: TaskWeight, part: Part) -> TaskWeight:
    if isinstance(weight, TaskLinearWeight):
        assert isinstance(part, tuple)
        return reduce(TaskLinearWeight.plus, part, weight)
    assert isinstance(part, Tensor)
    return weight.plus(part)


def _mean(part: Part) -> Tensor:
    if isinstance(part, Tensor):
        return part.mean(0)
    return reduce(torch.add, [product.total() for product in part]) / len(part[0].grad)
