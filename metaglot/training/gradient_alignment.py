"""How close the first-order approximation is: the angle and the lengths of the two meta-gradients."""

import copy
from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.task_sampler import TaskBatch

WHOLE = "all"


class GradientAlignment(NamedTuple):
    """Of one layer, or of `all`: the cosine between both gradients, and the first order's norm over the second's."""

    layer: str
    cosine: float
    norm_ratio: float


def measure_alignment(
    algorithm: MetaLearner, learned: MetaParameters, batches: Iterable[TaskBatch]
) -> list[GradientAlignment]:
    """Compare the first-order and second-order meta-gradients on the same tasks, whole and by layer.

    Nothing for an algorithm without an order. Parameters that have no effect (a bias before a norm) belong
    to no comparison.
    """
    if algorithm.first_order is None:
        return []
    first, second = _gradients(algorithm, learned, list(batches))
    layers = {name: name.rsplit(".", 2)[0] if name.startswith("features") else name.split(".")[0] for name in first}
    groups = {WHOLE: list(first)} | {layer: [n for n in first if layers[n] == layer] for layer in layers.values()}
    return [_compare(layer, [first[n] for n in names], [second[n] for n in names]) for layer, names in groups.items()]


def _gradients(
    algorithm: MetaLearner, learned: MetaParameters, batches: list[TaskBatch]
) -> tuple[dict[str, Tensor], ...]:
    sums = []
    for first_order in (True, False):
        variant = copy.copy(algorithm)
        variant.first_order = first_order
        parts = [[g * len(batch) for g in variant.meta_gradient(learned, batch)[0]] for batch in batches]
        sums.append(
            {name: torch.stack(found).sum(0) for name, found in zip(learned, zip(*parts, strict=True), strict=True)}
        )
    return tuple(sums)


def _compare(layer: str, first: list[Tensor], second: list[Tensor]) -> GradientAlignment:
    a, b = (torch.cat([g.flatten() for g in gradients]).double() for gradients in (first, second))
    lengths = a.norm() * b.norm()
    return GradientAlignment(layer, (a @ b / lengths).item(), (a.norm() / b.norm()).item())
