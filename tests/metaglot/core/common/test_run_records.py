"""Records that were damaged are refused by file and place, in one line."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import finished_run
import pytest
from error_lines import error_line

from metaglot.core.common.atomic_files import read_json, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import RunRecord, read_history, read_record
from metaglot.evaluation.result_record import Result
from stages.support import paths

Spoil = Callable[[dict[str, Any]], object]


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    finished_run.write("maml")


def test_records_hold_what_the_files_hold() -> None:
    run, result = read_record(RunRecord, paths.run_record("maml", 42)), read_record(Result, paths.result("maml", 42))
    assert run.config.model_dump() == finished_run.config("maml", 42)
    accuracy = finished_run.result("maml", 42)["accuracy"]
    intervals = {name: tuple(accuracy[name]) for name in ("ci95", "ci95_by_character")}
    assert result.accuracy.model_dump() == accuracy | intervals


@pytest.mark.parametrize(
    ("kind", "spoil", "place"),
    [
        (RunRecord, lambda record: record.pop("train_seconds"), "train_seconds"),
        (RunRecord, lambda record: record.update(train_seconds="long"), "train_seconds"),
        (RunRecord, lambda record: record.update(train_seconds=-1.0), "train_seconds"),
        (RunRecord, lambda record: record.update(started_at=1.5), "started_at"),
        (RunRecord, lambda record: record["config"].pop("dataset"), "config.dataset"),
        (RunRecord, lambda record: record["config"]["task"].update(ways="five"), "config.task.ways"),
        (Result, lambda record: record["accuracy"].update(mean=97.5), "accuracy.mean"),
        (Result, lambda record: record["accuracy"].update(ci95=[0.5]), "accuracy.ci95.1"),
        (Result, lambda record: record["loss"].update(mean=None), "loss.mean"),
        (Result, lambda record: record.update(by_step=[]), "by_step"),
        (Result, lambda record: record["evaluate"].update(tasks=True), "evaluate.tasks"),
    ],
)
def test_a_record_that_is_not_one_is_refused_by_its_key(kind: type, spoil: Spoil, place: str) -> None:
    path = (paths.run_record if kind is RunRecord else paths.result)("maml", 42)
    record = read_json(path)
    spoil(record)
    write_json(path, record)
    assert error_line(lambda: read_record(kind, path)).startswith(f"{path}: {place}: ")


@pytest.mark.parametrize("text", ["NaN", "", "[]", "{", '{"accuracy": NaN}', "\ufeff{}"])
def test_a_result_that_is_no_json_is_refused_by_name(text: str) -> None:
    path = paths.result("maml", 42)
    path.write_text(text, encoding="utf-8")
    assert str(path) in error_line(lambda: read_record(Result, path))


HEADER = "iteration,seconds,train_loss,train_accuracy,validation_loss,validation_accuracy,gradient_norm"


@pytest.mark.parametrize(
    "row, place",
    [
        ("500,1.5,0.5,0.9,0.5,0.9,lots", "gradient_norm"),
        ("500,1.5,nan,0.9,0.5,0.9,1", "train_loss"),
        ("500,1.5,0.5,0.9,0.5,90,1", "validation_accuracy"),
        (",1.5,0.5,0.9,0.5,0.9,1", "iteration"),
        ("500.5,1.5,0.5,0.9,0.5,0.9,1", "iteration"),
        ("500,1.5,0.5,0.9", "validation_loss"),
    ],
)
def test_a_row_of_the_history_that_is_damaged_is_refused_by_line(row: str, place: str) -> None:
    path = paths.history("maml", 42)
    path.write_text(f"{HEADER}\n0,0,,,1.6,0.2,\n{row}\n")
    assert error_line(lambda: read_history(path)).startswith(f"{path}, line 3: {place}: ")


def test_a_history_of_other_columns_is_refused() -> None:
    path = paths.history("maml", 42)
    path.write_text("step,loss\n1,2\n")
    assert f"{path}, line 2" in error_line(lambda: read_history(path))


def test_no_flipped_byte_of_a_record_goes_further_than_a_refusal() -> None:
    chance, refused = random.Random(0), 0
    for path in (paths.run_record("maml", 42), paths.result("maml", 42), paths.history("maml", 42)):
        whole = path.read_bytes()
        for _ in range(100):
            damaged = bytearray(whole)
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
            path.write_bytes(damaged[: chance.randrange(len(whole) // 2, 2 * len(whole))])
            kind = RunRecord if path.name == "run.json" else Result
            try:
                read_history(path) if path.suffix == ".csv" else read_record(kind, path)
            except UserError as error:
                refused += 1
                assert str(error).startswith(str(path)) and "\n" not in str(error)
    assert refused > 200  # of 300: some bytes may be others and the record still well-formed
