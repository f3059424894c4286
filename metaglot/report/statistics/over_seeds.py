"""Runs grouped by algorithm, and means over the seeds of one."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.significance import Floats


def by_algorithm(runs: list[LoadedRun]) -> list[list[LoadedRun]]:
    """The runs of each algorithm; its position in this list decides its colour everywhere."""
    grouped: dict[str, list[LoadedRun]] = {}
    for run in runs:
        grouped.setdefault(run.algorithm, []).append(run)
    return list(grouped.values())


def same_seeds(first: list[LoadedRun], second: list[LoadedRun]) -> list[tuple[LoadedRun, LoadedRun]]:
    """The runs of two algorithms from the seeds that both have."""
    others = {run.seed: run for run in second}
    return [(run, others[run.seed]) for run in first if run.seed in others]


def mean_over_seeds(means: list[float], of_network: tuple[float, float], unit: str) -> dict[str, Any]:
    """A mean over seeds with its t interval; one seed has the interval of its network, over tasks or characters."""
    if len(means) == 1:
        return {"mean": means[0], "ci95": list(of_network), "over": unit}
    return {"mean": float(np.mean(means)), "ci95": list(t_interval(means)), "over": "seeds"}


def task_means(runs: list[LoadedRun], measure: str) -> Floats:
    """[tasks]: each test task's score as a mean over runs."""
    return np.mean([run.scores[measure] for run in runs], axis=0, dtype=np.float64)


def intervals(values: Floats, characters: NDArray[np.int16]) -> dict[str, Any]:
    """The intervals of a mean over tasks: for independent tasks, and clustered by character."""
    return {
        "ci95_by_task": list(t_interval(values)),
        "ci95_by_character": list(clustered_interval(values, characters)),
    }
