"""Shares of variance of an accuracy: the split, the seed and the test tasks, by the method of moments.

The model is y = mean + split + seed + split x seed + tasks within split + residual, all random and balanced. Each mean
square is set equal to its expectation (Searle, Casella and McCulloch 1992, chapter 4); a negative estimate counts as 0.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MeanSquares:
    """The mean squares of the analysis of variance."""

    split: float
    seed: float
    both: float
    tasks: float
    residual: float


@dataclass(frozen=True)
class Components:
    """Variances. seed: with its interaction with the split. tasks: with the residual, of other draws of test tasks."""

    split: float
    seed: float
    tasks: float

    @property
    def shares(self) -> dict[str, float]:
        """Fractions of the total; all 0 if nothing varies."""
        total = self.split + self.seed + self.tasks
        return {name: getattr(self, name) / total if total else 0.0 for name in ("split", "seed", "tasks")}


def estimate_components(values: Floats) -> Components:
    """values: [splits, seeds, draws of test tasks], at least 2 of each."""
    return solve_expectations(mean_squares(values), *values.shape)


def solve_expectations(found: MeanSquares, splits: int, seeds: int, draws: int) -> Components:
    """The variances for which the expected mean squares are the found ones."""
    residual = found.residual
    tasks = max(0.0, (found.tasks - residual) / seeds)
    both = max(0.0, (found.both - residual) / draws)
    seed = max(0.0, (found.seed - found.both) / (splits * draws))
    split = max(0.0, (found.split - found.both - found.tasks + residual) / (seeds * draws))
    return Components(split, seed + both, tasks + residual)


def mean_squares(values: Floats) -> MeanSquares:
    a, b, c = values.shape
    mean, by_split, by_seed = values.mean(), values.mean(axis=(1, 2)), values.mean(axis=(0, 2))
    both, tasks = values.mean(axis=2), values.mean(axis=1)
    interaction = both - by_split[:, None] - by_seed + mean
    rest = values - both[:, :, None] - tasks[:, None, :] + by_split[:, None, None]
    return MeanSquares(
        split=b * c * _squares(by_split - mean) / (a - 1),
        seed=a * c * _squares(by_seed - mean) / (b - 1),
        both=c * _squares(interaction) / ((a - 1) * (b - 1)),
        tasks=b * _squares(tasks - by_split[:, None]) / (a * (c - 1)),
        residual=_squares(rest) / (a * (b - 1) * (c - 1)),
    )


def _squares(deviations: Floats) -> float:
    return float(np.square(deviations).sum())
