"""Conjugate gradients for the linear systems of many tasks at once, whose vectors are lists of tensors [tasks, ...]."""

from collections.abc import Callable

import torch
from torch import Tensor

Coordinates = list[Tensor]


def conjugate_gradients(
    product: Callable[[Coordinates], Coordinates],
    dot: Callable[[Coordinates, Coordinates], Tensor],
    target: Coordinates,
    steps: int,
) -> Coordinates:
    """The solution of product(x) = target after this many steps from 0 (Hestenes and Stiefel 1952).

    dot: each task's inner product, [tasks], of what two lists stand for.
    """
    solution, residual, search = [torch.zeros_like(part) for part in target], target, target
    squared = dot(residual, residual)
    for _ in range(steps):
        image = product(search)
        length = _ratio(squared, dot(search, image))
        solution, residual = _sum(solution, search, length), _sum(residual, image, -length)
        before, squared = squared, dot(residual, residual)
        search = _sum(residual, search, _ratio(squared, before))
    return solution


def inner_products(one: Coordinates, other: Coordinates) -> Tensor:
    """The sum of the products of all elements, [tasks]."""
    return torch.stack([(a * b).view(len(a), -1).sum(1) for a, b in zip(one, other, strict=True)]).sum(0)


def _sum(one: Coordinates, other: Coordinates, factor: Tensor) -> Coordinates:
    """one + factor * other, with a factor for each task."""
    return [a + factor.view(-1, *[1] * (a.dim() - 1)) * b for a, b in zip(one, other, strict=True)]


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    """0 where a task is solved already."""
    return torch.where(denominator == 0, 0, numerator / denominator)
