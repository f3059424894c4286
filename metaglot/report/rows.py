"""The rows of the comparison: each run, and each algorithm over its seeds, beside the original study."""

from typing import Any

import numpy as np

from metaglot.evaluation.confidence_intervals import t_interval
from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.result_record import ClusteredMean
from metaglot.report import original_study
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.pairs import by_algorithm, task_means, uncertainty
from metaglot.report.statistics.pairwise_result import wider_interval


def run_rows(runs: list[LoadedRun]) -> list[dict[str, Any]]:
    """What each run scored and took, as its own files say it."""
    return [_run_row(run, runs) for run in runs]


def algorithm_rows(runs: list[LoadedRun]) -> list[dict[str, Any]]:
    """Each algorithm over its seeds: means, and an interval of what varied (see `over`)."""
    return [_algorithm_row(list(seeds.values()), runs) for seeds in by_algorithm(runs).values()]


def overlapping(run: LoadedRun, runs: list[LoadedRun]) -> bool:
    """Whether another training ran on the same device meanwhile, so that the times of both tell little."""
    mine = run.record
    return any(
        other is not run
        and other.record.device == mine.device
        and other.record.started_at < mine.ended_at
        and mine.started_at < other.record.ended_at
        for other in runs
    )


def adaptation_steps(run: LoadedRun) -> int | None:
    """After how many steps the test tasks were scored; None for what adapts in none, which was scored once."""
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
        "iterations": run.iterations,
        "adaptation_steps": adaptation_steps(run),
        "train_seconds": record.train_seconds,
        "validation_seconds": record.validation_seconds,
        "setup_seconds": record.setup_seconds,
        "iterations_per_second": record.iterations_per_second,
        "peak_memory_mb": record.peak_memory_mb,
        "device": record.device,
        "threads": record.threads,
        "overlapped": overlapping(run, runs),
        "resumed": record.resumed,
        "commit": record.commit,
    }


def _algorithm_row(seeds: list[LoadedRun], runs: list[LoadedRun]) -> dict[str, Any]:
    first = seeds[0]
    devices = sorted({run.record.device for run in seeds})
    return {
        "algorithm": first.algorithm,
        "label": first.result.label,
        "first_order": first.result.first_order,
        "seeds": [run.seed for run in seeds],
        **{measure: _over_seeds(measure, seeds) for measure in MEASURES if first.result.mean_of(measure)},
        "iterations": first.iterations,
        "adaptation_steps": adaptation_steps(first),
        "times": [_time(device, [run for run in seeds if run.record.device == device], runs) for device in devices],
        "writeup": original_study.printed(first),
    }


def _time(device: str, here: list[LoadedRun], runs: list[LoadedRun]) -> dict[str, Any]:
    """The training time of an algorithm's runs on one device: times of two do not mix."""
    times = [run.record.train_seconds for run in here]
    return {
        "device": device,
        "train_seconds": {"mean": float(np.mean(times)), "min": min(times), "max": max(times)},
        "runs": len(here),
        "overlapped": any(overlapping(run, runs) for run in here),
    }


def _over_seeds(measure: str, seeds: list[LoadedRun]) -> dict[str, Any]:
    """A measure over seeds; of a clustered one also the intervals of these seeds' mean network over the test tasks."""
    means = [run.result.mean_of(measure) for run in seeds]
    scored = [mean for mean in means if mean]
    if not isinstance(scored[0], ClusteredMean):
        return _over([mean.mean for mean in scored], scored[0].ci95, "tasks")
    row = _over([mean.mean for mean in scored], wider_interval(scored[0].model_dump()), "characters")
    return row | uncertainty(task_means(seeds, measure), seeds[0].scores["characters"])


def _over(means: list[float], alone: tuple[float, float], unit: str) -> dict[str, Any]:
    """A mean over seeds with its t interval; one seed keeps its own interval, over what its tasks share."""
    if len(means) == 1:
        return {"mean": means[0], "ci95": list(alone), "over": unit}
    return {"mean": float(np.mean(means)), "ci95": list(t_interval(means)), "over": "seeds"}
