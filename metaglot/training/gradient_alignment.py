"""The approximate meta-gradient against the exact one: the angle between the two, and the ratio of their norms."""

from collections.abc import Iterable

import torch
from torch import Tensor

from metaglot.core.common.run_records import WHOLE_NETWORK, AlignmentRow
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import TaskBatch


def measure_alignment(
    algorithm: MetaLearner, parameters: MetaParameters, batches: Iterable[TaskBatch], iteration: int
) -> list[AlignmentRow]:
    """Compare the approximate and the exact meta-gradient on the same tasks, whole and by layer.

    The approximation is of first order, unless the algorithm has its own (`approximate_and_exact`). An algorithm
    without an order has no rows. Parameters without effect (a bias before a norm) belong to no layer that is compared,
    and a layer whose exact meta-gradient is 0 (inner rates, if there is no inner step) has no row.
    """
    if algorithm.first_order is None:
        return []
    chunks = list(batches)
    approximate, exact = (_gradient(kind, parameters, chunks) for kind in algorithm.approximate_and_exact())
    layers = {name: name.rsplit(".", 2)[0] if name.startswith("features") else name.split(".")[0] for name in exact}
    groups = {WHOLE_NETWORK: list(exact)}
    groups |= {layer: [name for name in exact if layers[name] == layer] for layer in layers.values()}
    groups = {layer: names for layer, names in groups.items() if any(exact[name].any() for name in names)}
    return [
        AlignmentRow(iteration, layer, *_compare([approximate[n] for n in names], [exact[n] for n in names]))
        for layer, names in groups.items()
    ]


def _gradient(algorithm: MetaLearner, parameters: MetaParameters, batches: list[TaskBatch]) -> dict[str, Tensor]:
    """The sum over all tasks of the meta-gradient, by parameter."""
    by_batch = [
        [g * len(batch) for g in BatchedEngine(algorithm, len(batch)).meta_gradient(parameters, batch)[0]]
        for batch in batches
    ]
    by_parameter = zip(parameters, zip(*by_batch, strict=True), strict=True)
    return {name: torch.stack(gradients).sum(0) for name, gradients in by_parameter}


def _compare(first: list[Tensor], second: list[Tensor]) -> tuple[float, float]:
    """The cosine, and the first norm over the second."""
    a, b = (torch.cat([g.flatten() for g in gradients]).double() for gradients in (first, second))
    norms = a.norm() * b.norm()
    return (a @ b / norms).item(), (a.norm() / b.norm()).item()
