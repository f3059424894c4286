"""The check that the batched engine computes the meta-gradient that learn2learn's own loop computes."""

from typing import Any

import torch
from torch import nn

from metaglot.core.common.errors import UserError
from metaglot.core.learners.batched_engine import BatchedEngine
from metaglot.core.learners.learn2learn_engine import LEARN2LEARN_VERSION, Learn2LearnEngine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import TaskBatch

TOLERANCE = 1e-10  # of the gradient's norm, in float64


def certify_parity(
    algorithm: MetaLearner, module: nn.Module, parameters: MetaParameters, batch: TaskBatch, chunk: int
) -> dict[str, Any]:
    """Compare the meta-gradients of both engines in float64 on the same batch.

    The difference is the norm of the gradients' difference over the norm of learn2learn's gradient. Raises UserError if
    it is more than rounding.
    """
    exact = {name: value.detach().double().requires_grad_() for name, value in parameters.items()}
    batched, _ = BatchedEngine(algorithm, chunk).meta_gradient(exact, batch.double())
    expected, _ = Learn2LearnEngine(algorithm, module.double()).meta_gradient(exact, batch.double())
    norm = torch.stack([g.norm() for g in expected]).norm()
    difference_norm = torch.stack([(a - b).norm() for a, b in zip(batched, expected, strict=True)]).norm()
    difference = (difference_norm / norm).item()
    if not difference <= TOLERANCE:
        raise UserError(
            f"the batched engine's first meta-gradient is {difference:.1e} of its norm away from learn2learn's, "
            f"more than the {TOLERANCE:.0e} that rounding explains: an inner loop that diverges magnifies rounding, so "
            "lower train.fast_lr or train.adaptation_steps; if that does not help, report it"
        )
    return {
        "reference": f"learn2learn {LEARN2LEARN_VERSION}",
        "dtype": "float64",
        "tasks": len(batch),
        "relative_difference": difference,
        "tolerance": TOLERANCE,
    }
