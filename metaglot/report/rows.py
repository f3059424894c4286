"""The rows of comparison.json: each run, and each algorithm over its seeds with the original study's numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.result_record import ClusteredMean, Mean
from metaglot.report import original_study
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm, intervals, mean_over_seeds, task_means
from metaglot.report.statistics.pairwise_result import shown_interval

COSTS = (
    "train_seconds",
    "validation_seconds",
    "setup_seconds",
    "iterations_per_second",
    "peak_memory_mb",
    "device",
    "threads",
)


def run_rows(runs: list[LoadedRun]) -> list[dict[str, Any]]:
    """The scores and times of each run."""
    return [_run_row(run, runs) for run in runs]


def algorithm_rows(runs: list[LoadedRun]) -> list[dict[str, Any]]:
    """Each algorithm over its seeds: means and intervals; `over` says what an interval is over."""
    return [_algorithm_row(seeds, [_run_row(run, runs) for run in seeds]) for seeds in by_algorithm(runs)]


def overlapping(run: LoadedRun, runs: list[LoadedRun]) -> bool:
    """Whether another training ran on the same device at the same time, so the times of both say little."""
    record = run.record
    return any(
        other is not run
        and other.record.device == record.device
        and other.record.started_at < record.ended_at
        and record.started_at < other.record.ended_at
        for other in runs
    )


def adaptation_steps(run: LoadedRun) -> int | None:
    """The adaptation steps before scoring; None for an algorithm that does not adapt in steps."""
    return run.result.evaluate.adaptation_steps if len(run.result.by_step) > 1 else None


def _run_row(run: LoadedRun, runs: list[LoadedRun]) -> dict[str, Any]:
    result, record = run.result, run.record
    return {
        "run": run.name,
        "algorithm": run.algorithm,
        "label": result.label,
        "first_order": result.first_order,
        "seed": run.seed,
        **{measure: mean.mean for measure in MEASURES if (mean := result.mean_of(measure))},
        "accuracy_ci95": list(result.accuracy.ci95),
        "accuracy_ci95_by_character": list(result.accuracy.ci95_by_character),
        "writeup_accuracy": result.writeup.accuracy,
        "label_permutations": permuted.model_dump() if (permuted := result.label_permutations) else None,
        "iterations": run.iterations,
        "adaptation_steps": adaptation_steps(run),
        **{name: getattr(record, name) for name in COSTS},
        "overlapped": overlapping(run, runs),
        "resumed": record.resumed,
        "commit": record.commit,
    }


def _algorithm_row(seeds: list[LoadedRun], rows: list[dict[str, Any]]) -> dict[str, Any]:
    first = seeds[0]
    measures = [measure for measure in MEASURES if all(run.result.mean_of(measure) for run in seeds)]
    return {
        "algorithm": first.algorithm,
        "label": first.result.label,
        "first_order": first.result.first_order,
        "seeds": [run.seed for run in seeds],
        **{measure: _over_seeds(measure, seeds) for measure in measures},
        "label_permutations": _label_permutations(seeds),
        "iterations": first.iterations,
        "adaptation_steps": adaptation_steps(first),
        "times": training_times(rows),
        "writeup": original_study.printed(first),
    }


def training_times(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The training time of the rows of runs on each device; times on different devices are not comparable."""
    devices = sorted({row["device"] for row in rows})
    return [_on_device(device, [row for row in rows if row["device"] == device]) for device in devices]


def _on_device(device: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    times = [row["train_seconds"] for row in rows]
    return {
        "device": device,
        "train_seconds": {"mean": float(np.mean(times)), "min": min(times), "max": max(times)},
        "runs": len(rows),
        "overlapped": any(row["overlapped"] for row in rows),
    }


def _over_seeds(measure: str, seeds: list[LoadedRun]) -> dict[str, Any]:
    """A measure over seeds; if clustered, also the intervals of the mean over seeds for other test tasks."""
    scores = [mean for run in seeds if (mean := run.result.mean_of(measure))]
    row = _over_means(scores)
    if not isinstance(scores[0], ClusteredMean):
        return row
    return row | intervals(task_means(seeds, measure), seeds[0].scores["characters"])


def _label_permutations(seeds: list[LoadedRun]) -> dict[str, Any] | None:
    """The spread of a task's accuracy over permutations of its labels, over seeds; None in older results."""
    permuted = [spread for run in seeds if (spread := run.result.label_permutations)]
    if len(permuted) < len(seeds):
        return None
    counts = {"tasks": permuted[0].tasks, "permutations": permuted[0].permutations}
    return counts | {"accuracy_std": _over_means([permutations.accuracy_std for permutations in permuted])}


def _over_means(scores: Sequence[Mean]) -> dict[str, Any]:
    """A mean over seeds; one seed has the interval of its network."""
    means, first = [score.mean for score in scores], scores[0]
    if isinstance(first, ClusteredMean):
        return mean_over_seeds(means, shown_interval(first.model_dump()), "characters")
    return mean_over_seeds(means, first.ci95, "tasks")
