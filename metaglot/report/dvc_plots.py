"""Tables of all runs for DVC's plots: their curves, scores, and scores by adaptation step."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from metaglot.core.common.run_records import HistoryRow
from metaglot.report.load_runs import LoadedRun

RUN = ("run", "algorithm", "seed")


def curves(runs: list[LoadedRun]) -> str:
    """curves.csv: the histories of all runs, a row for each validation; unmeasured cells are empty."""
    rows = (run_columns(run) | row | {"iteration": int(row["iteration"])} for run in runs for row in run.history)
    return to_csv((*RUN, *HistoryRow.model_fields), rows)


def accuracy(runs: list[LoadedRun]) -> str:
    """accuracy.csv: the accuracy of each run with its interval clustered by character."""
    columns = ("accuracy", "low", "high")
    scores = ((run.result.accuracy.mean, *run.result.accuracy.wider_interval) for run in runs)
    rows = (run_columns(run) | dict(zip(columns, score, strict=True)) for run, score in zip(runs, scores, strict=True))
    return to_csv((*RUN, *columns), rows)


def by_step(runs: list[LoadedRun]) -> str:
    """by_step.csv: accuracy and loss of each run after each number of adaptation steps."""
    rows = (run_columns(run) | step.model_dump() for run in runs for step in run.result.by_step)
    return to_csv((*RUN, "step", "accuracy", "loss"), rows)


def run_columns(run: LoadedRun) -> dict[str, Any]:
    return {"run": run.name, "algorithm": run.algorithm, "seed": run.seed}


def to_csv(columns: Iterable[str], rows: Iterable[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(columns), lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
