"""The lead of one algorithm over another on the validation tasks during training."""

from typing import NamedTuple

import numpy as np

from metaglot.report.load_runs import LoadedRun
from metaglot.report.original_study import ITERATIONS


class ValidationLead(NamedTuple):
    """The first accuracy minus the second one, as a mean over seeds."""

    iteration: int
    points: float


def validation_leads(first: list[LoadedRun], second: list[LoadedRun]) -> list[ValidationLead]:
    """The lead at the original study's number of iterations and at the end, where both were validated.

    For trainings that are no longer than the study's: half way and at the end.
    """
    curves = [_mean_curve(runs) for runs in (first, second)]
    common = sorted(set(curves[0]) & set(curves[1]) - {0})
    if not common:
        return []
    early = _nearest(common, ITERATIONS) if common[-1] > ITERATIONS else common[(len(common) - 1) // 2]
    return [ValidationLead(i, curves[0][i] - curves[1][i]) for i in dict.fromkeys((early, common[-1]))]


def _nearest(iterations: list[int], to: int) -> int:
    return min(iterations, key=lambda iteration: abs(iteration - to))


def _mean_curve(runs: list[LoadedRun]) -> dict[int, float]:
    """Mean validation accuracy over seeds, by iteration."""
    accuracies: dict[int, list[float]] = {}
    for run in runs:
        for row in run.history:
            if "validation_accuracy" in row:
                accuracies.setdefault(int(row["iteration"]), []).append(row["validation_accuracy"])
    return {iteration: float(np.mean(values)) for iteration, values in accuracies.items()}
