"""What a tracking server shows of one training: the records of a run, flattened into names and numbers."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from metaglot.core.common.dotted_keys import flatten
from metaglot.core.common.run_records import RunRecord
from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.result_record import ClusteredMean, Result
from metaglot.tracking.mlflow_notes import run_note
from metaglot.tracking.trained_model import TrainedModel

CURVES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "gradient_norm")


class Point(NamedTuple):
    """A metric's value at a step, at a time in ms since the epoch (the order of MLflow's Metric)."""

    name: str
    value: float
    timestamp: int
    step: int


@dataclass(frozen=True)
class MlflowRun:
    """One run, named so that a table of several answers: which is better, how sure, how long."""

    experiment: str
    name: str
    started_at: int
    ended_at: int
    params: dict[str, str]
    points: list[Point]
    tags: dict[str, str]
    model: TrainedModel | None = None


def mlflow_run(
    run: RunRecord, history: list[dict[str, float]], result: Result, model: TrainedModel | None = None
) -> MlflowRun:
    """Put together a training's record, curves and scores: the same whenever and wherever it is done."""
    return MlflowRun(
        experiment=experiment_name(run),
        name=f"{run.label} · seed {run.seed}",
        started_at=run.started_at,
        ended_at=run.ended_at,
        params=flattened(run.config.model_dump() | {"evaluate": result.evaluate.model_dump()}),
        points=[*scores(run, result), *curves(run, history)],
        tags=tags(run, result),
        model=model,
    )


def experiment_name(run: RunRecord) -> str:
    """The task that runs of one experiment share, such as `omniglot-5way-5shot-fc-rotations-none`."""
    config, task, split = run.config, run.config.task, run.config.split
    parts = [config.dataset, f"{task.ways}way", f"{task.shots}shot", config.model]
    if split.kind != "random":
        parts.append(split.kind)
    if split.seed != 42:
        parts.append(f"split{split.seed}")
    if task.rotations != "class":
        parts.append(f"rotations-{task.rotations}")
    if task.characters != "any":
        parts.append("within-alphabet")
    return "-".join(parts)


def flattened(record: dict[str, Any]) -> dict[str, str]:
    """The leaves by dotted name, as texts, written as they are in params.yaml."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in flatten(record)
    }


def curves(run: RunRecord, history: list[dict[str, float]]) -> Iterator[Point]:
    """The training's curves, at their iterations and at the times these were reached."""
    for row in history:
        time = run.started_at + round(1000 * row["seconds"])
        yield from (Point(name, row[name], time, int(row["iteration"])) for name in CURVES if name in row)


def scores(run: RunRecord, result: Result) -> Iterator[Point]:
    """Test scores and costs; named so that MLflow's comparison, which sorts, begins with the accuracy.

    Percentages stand beside fractions because its pages round to three decimals.
    """
    writeup, permuted = result.writeup, result.label_permutations
    metrics = {
        **{name: value for measure in MEASURES for name, value in metrics_of(measure, result).items()},
        "test_label_permutations_accuracy_std": permuted.accuracy_std.mean if permuted else None,
        **sequence_metrics(result),
        "test_writeup_accuracy": writeup.accuracy,
        "test_writeup_accuracy_percent": 100 * writeup.accuracy,
        "test_writeup_loss": writeup.loss,
        "train_seconds": run.train_seconds,
        "validation_seconds": run.validation_seconds,
        "train_setup_seconds": run.setup_seconds,
        "train_iterations_per_second": run.iterations_per_second,
        "train_peak_memory_mb": run.peak_memory_mb,
        "train_resumed": run.resumed,
    }
    for name, value in metrics.items():
        if value is not None:
            yield Point(name, value, run.ended_at, 0)
    for after in result.by_step:
        yield Point("test_by_step_accuracy", after.accuracy, run.ended_at, after.step)
        yield Point("test_by_step_loss", after.loss, run.ended_at, after.step)


def metrics_of(measure: str, result: Result) -> dict[str, float]:
    """A measure's mean and intervals, in percent too where it is a fraction."""
    mean, name = result.mean_of(measure), f"test_{measure}"
    if mean is None:
        return {}
    metrics = {name: mean.mean, **bounds(f"{name}_ci95", mean.ci95)}
    if MEASURES[measure].is_fraction:
        metrics[f"{name}_percent"] = 100 * mean.mean
    if isinstance(mean, ClusteredMean):
        low, high = mean.ci95_by_character
        metrics |= bounds(f"{name}_by_character", (low, high))
        metrics |= bounds(f"{name}_percent_by_character", (100 * low, 100 * high))
    return metrics


def sequence_metrics(result: Result) -> dict[str, float]:
    """The three means over sequences of tasks, with their intervals, if sequences were scored."""
    if not result.sequences:
        return {}
    metrics: dict[str, float] = {}
    for name in ("final", "learning", "forgetting"):
        mean = getattr(result.sequences.transductive, name)
        key = f"test_sequences_{name}"
        metrics |= {key: mean.mean, **bounds(f"{key}_by_character", mean.ci95_by_character)}
    return metrics


def bounds(name: str, interval: tuple[float, float]) -> dict[str, float]:
    low, high = interval
    return {f"{name}_low": low, f"{name}_high": high}


def tags(run: RunRecord, result: Result) -> dict[str, str]:
    """Where a run comes from and what it was scored on; its note is what MLflow shows above its numbers."""
    provenance = {
        "algorithm": run.algorithm,
        "dataset": result.dataset,
        "device": run.device,
        "threads": run.threads,
        "processes": run.processes,
        "commit": run.commit or "unknown",
        "split_sha256": result.split_sha256,
        "tasks_sha256": result.tasks_sha256,
        "version": run.versions,
        "parity": run.parity.model_dump(exclude_unset=True) if run.parity else {},
        "mlflow.source.name": f"train@{run.algorithm}-{run.seed}",
        "mlflow.note.content": run_note(run, result),
    }
    return flattened(provenance)
