"""Long tables of all runs, for DVC's plots: how they learned, what they score, how they adapt."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from metaglot.report.load_runs import LoadedRun

RUN = ("run", "algorithm", "seed")
HISTORY = (
    "iteration",
    "seconds",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "gradient_norm",
)


def curves(runs: list[LoadedRun]) -> str:
    """curves.csv: the histories of all runs, a row a validation; what was not observed yet is empty."""
    rows = (of(run) | row | {"iteration": int(row["iteration"])} for run in runs for row in run.history)
    return table((*RUN, *HISTORY), rows)


def accuracy(runs: list[LoadedRun]) -> str:
    """accuracy.csv: the score of each run, with its interval by character."""
    columns = ("accuracy", "low", "high")
    scores = [(run, run.result.accuracy) for run in runs]
    found = [(of(run), (score.mean, *score.ci95_by_character)) for run, score in scores]
    return table((*RUN, *columns), (about | dict(zip(columns, score, strict=True)) for about, score in found))


def by_step(runs: list[LoadedRun]) -> str:
    """by_step.csv: accuracy and loss of each run after each number of adaptation steps."""
    rows = (of(run) | step.model_dump() for run in runs for step in run.result.by_step)
    return table((*RUN, "step", "accuracy", "loss"), rows)


def of(run: LoadedRun) -> dict[str, Any]:
    return {"run": run.name, "algorithm": run.algorithm, "seed": run.seed}


def table(columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
