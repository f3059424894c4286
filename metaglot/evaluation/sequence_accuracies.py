"""The accuracies on sequences of tasks, and what they say of each task; without torch, as the report is."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]  # [sequences, length]: of each task of a sequence


@dataclass(frozen=True)
class SequenceAccuracies:
    """A[i, j], the accuracy on the queries of task i after task j was learned; NaN where i comes after j.

    [sequences, length, length] each. Inductive: batch norm uses the support set of the query's own task.
    """

    transductive: NDArray[np.float32]
    inductive: NDArray[np.float32]


def concatenate_sequences(parts: list[SequenceAccuracies]) -> SequenceAccuracies:
    """The accuracies of consecutive chunks as one."""
    modes = ("transductive", "inductive")
    return SequenceAccuracies(*(np.concatenate([getattr(part, mode) for part in parts]) for mode in modes))


def by_task(matrices: NDArray[np.float64]) -> dict[str, Values]:
    """Each task's accuracy after the last task, right after it was learned, and the difference."""
    final, learning = matrices[:, :, -1], np.diagonal(matrices, axis1=1, axis2=2)
    return {"final": final, "learning": learning, "forgetting": learning - final}
