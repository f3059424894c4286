"""The error of an approximate meta-gradient, measured at the start of its training."""

import copy
from typing import Any

import torch
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import TaskBatch


def certify_approximation(
    algorithm: MetaLearner, parameters: MetaParameters, batch: TaskBatch, chunk: int
) -> dict[str, Any] | None:
    """Compare an approximation of the second-order term with the exact term in float64, on the same batch.

    The difference is the norm of the error over the norm of the exact term, None if that is 0. Raises UserError if it
    is more than the algorithm's `error_tolerance`, or no number. Returns None for an algorithm without an approximation
    of its own.
    """
    if algorithm.first_order is None or not algorithm.adaptation_steps:
        return None
    approximate, exact = algorithm.approximate_and_exact()
    if approximate is not algorithm:
        return None
    kinds = exact, copy.copy(exact)
    kinds[1].first_order = True
    exact_gradient, without_term = (_gradient(kind, parameters, batch, chunk, torch.double) for kind in kinds)
    error = _gradient(algorithm, parameters, batch, chunk, batch.support.dtype) - exact_gradient
    norm = (exact_gradient - without_term).norm()
    difference = (error.norm() / norm).item() if norm else None
    tolerance = algorithm.error_tolerance
    if difference is not None and not difference <= (torch.inf if tolerance is None else tolerance):
        limit, cause = (f", more than {tolerance}", " or the algorithm's perturbation") if tolerance else ("", "")
        raise UserError(
            f"the second-order term of {algorithm.label}'s first meta-gradient is {difference:.1e} of its norm away "
            f"from the exact one{limit}: lower train.fast_lr{cause}"
        )
    return {
        "reference": "the exact second-order term",
        "dtype": str(batch.support.dtype).removeprefix("torch."),
        "tasks": len(batch),
        "relative_difference": difference,
        "tolerance": tolerance,
    }


def _gradient(
    algorithm: MetaLearner, parameters: MetaParameters, batch: TaskBatch, chunk: int, dtype: torch.dtype
) -> Tensor:
    """The whole meta-gradient in float64, computed in `dtype`."""
    converted = {name: value.detach().to(dtype).requires_grad_() for name, value in parameters.items()}
    batch = batch.double() if dtype is torch.double else batch
    gradient, _ = BatchedEngine(algorithm, chunk).meta_gradient(converted, batch)
    return torch.cat([g.flatten() for g in gradient]).double()
