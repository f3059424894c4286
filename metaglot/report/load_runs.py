"""Load the records of a run: the files that training and evaluation wrote."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from metaglot.core.common.atomic_files import read_text
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import AlignmentRow, RunRecord, read_history, read_record
from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.result_record import Result
from metaglot.report.stage_configs import RunRef

Scores = dict[str, NDArray[Any]]
ALIGNMENT_ROW = TypeAdapter(AlignmentRow)
# The arrays of a scores file with their dimensions: of all tasks, of the first few, and of sequences of tasks.
ALL_TASKS = {**dict.fromkeys(MEASURES, 1), "characters": 2, "turns": 2, "correct": 2}
OF_SEQUENCES = {"sequence_accuracy": 3, "sequence_inductive_accuracy": 3, "sequence_characters": 3}
ARRAYS = {**ALL_TASKS, "drawings": 3, "predictions": 3, **OF_SEQUENCES}
NEWER = {measure for measure in MEASURES if not measure.endswith(("accuracy", "loss"))}  # older scores may lack them


@dataclass(frozen=True)
class LoadedRun:
    """One training and its scores on the test tasks."""

    record: RunRecord
    history: list[dict[str, float]]
    alignment: list[AlignmentRow]
    result: Result
    scores: Scores

    @property
    def algorithm(self) -> str:
        return self.result.algorithm

    @property
    def seed(self) -> int:
        return self.result.seed

    @property
    def name(self) -> str:
        return f"{self.result.label} · seed {self.seed}"

    @property
    def iterations(self) -> int:
        """The number of training iterations; early stopping makes it smaller than the config's."""
        return int(self.history[-1]["iteration"]) if self.history else self.record.config.train.iterations


def read_run(row: RunRef, record: Path, history: Path, alignment: Path, result: Path, scores: Path) -> LoadedRun:
    """Read the five files of one row of the comparison; raises UserError if a file belongs to another run."""
    run = LoadedRun(
        record=read_record(RunRecord, record),
        history=read_history(history),
        alignment=read_alignment(alignment),
        result=read_record(Result, result),
        scores=read_scores(scores),
    )
    for path, content in ((record, run.record), (result, run.result)):
        if (content.algorithm, content.seed, content.label) != (row.algorithm, row.seed, row.label):
            raise UserError(
                f"{path} is of {content.label}, seed {content.seed}, not of {row.label}, seed {row.seed}: "
                "run `dvc repro` to bring it up to date"
            )
    return run


def read_alignment(path: Path) -> list[AlignmentRow]:
    """Read alignment.csv, which has no rows for an algorithm without a second order."""
    rows = csv.DictReader(read_text(path).splitlines(), strict=True)
    try:
        return [ALIGNMENT_ROW.validate_python(row) for row in rows]
    except (ValidationError, csv.Error) as error:
        raise _damaged(path, f"line {rows.line_num}: {' '.join(str(error).split())[:120]}") from None


def read_scores(path: Path) -> Scores:
    """Scores [tasks], the tasks' characters [tasks, ways], drawings and predictions of the first tasks."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            needed = ARRAYS.keys() - NEWER - OF_SEQUENCES.keys()
            scores = {name: archive[name] for name in ARRAYS if name in archive or name in needed}
    except FileNotFoundError:
        raise UserError(f"{path} is not there: run `dvc repro` (or `dvc checkout`) first") from None
    except Exception as error:  # zipfile, zlib and numpy raise almost anything for a damaged file
        raise _damaged(path, f"{type(error).__name__}: {error}"[:120]) from None
    for name, array in scores.items():
        if array.ndim != ARRAYS[name]:
            raise _damaged(path, f"{name} has {array.ndim} dimensions, not {ARRAYS[name]}")
    if len({len(scores[name]) for name in ALL_TASKS if name in scores}) != 1:
        raise _damaged(path, "its arrays have different numbers of tasks")
    return scores


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(f"{path} is damaged: {reason}; restore it, or run `dvc repro`")
