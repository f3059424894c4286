"""The first-order approximation: the angle between the two meta-gradients, and the ratio of their norms."""

import copy
from collections.abc import Iterable

import torch
from torch import Tensor

from metaglot.core.common.run_records import WHOLE_NETWORK, AlignmentRow
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import TaskBatch


def measure_alignment(
    algorithm: MetaLearner, parameters: MetaParameters, batches: Iterable[TaskBatch], iteration: int
) -> list[AlignmentRow]:
    """Compare the first-order and second-order meta-gradients on the same tasks, whole and by layer.

    An algorithm without an order has no rows. Parameters without effect (a bias before a norm) belong to no layer
    that is compared.
    """
    if algorithm.first_order is None:
        return []
    first, second = _gradients(algorithm, parameters, list(batches))
    layers = {name: name.rsplit(".", 2)[0] if name.startswith("features") else name.split(".")[0] for name in first}
    groups = {WHOLE_NETWORK: list(first)}
    groups |= {layer: [name for name in first if layers[name] == layer] for layer in layers.values()}
    return [
        AlignmentRow(iteration, layer, *_compare([first[n] for n in names], [second[n] for n in names]))
        for layer, names in groups.items()
    ]


def _gradients(
    algorithm: MetaLearner, parameters: MetaParameters, batches: list[TaskBatch]
) -> tuple[dict[str, Tensor], ...]:
    """The sums over all tasks of the first-order and of the second-order meta-gradients, by parameter."""
    sums = []
    for first_order in (True, False):
        variant = copy.copy(algorithm)
        variant.first_order = first_order
        by_batch = [[g * len(batch) for g in variant.meta_gradient(parameters, batch)[0]] for batch in batches]
        by_parameter = zip(parameters, zip(*by_batch, strict=True), strict=True)
        sums.append({name: torch.stack(gradients).sum(0) for name, gradients in by_parameter})
    return tuple(sums)


def _compare(first: list[Tensor], second: list[Tensor]) -> tuple[float, float]:
    """The cosine, and the first norm over the second."""
    a, b = (torch.cat([g.flatten() for g in gradients]).double() for gradients in (first, second))
    norms = a.norm() * b.norm()
    return (a @ b / norms).item(), (a.norm() / b.norm()).item()
