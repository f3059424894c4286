"""The pictures of a run."""

import json
from pathlib import Path

import finished_run
import pytest
from PIL import Image

from metaglot.core.common.run_records import RunRecord, read_history, read_record
from metaglot.evaluation.result_record import Result
from metaglot.tracking.mlflow_figures import draw_figures
from stages.support import paths

Records = tuple[RunRecord, list[dict[str, float]], Result]


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Records:
    monkeypatch.chdir(tmp_path)
    finished_run.write("maml")
    run, result = read_record(RunRecord, paths.run_record("maml", 42)), read_record(Result, paths.result("maml", 42))
    return run, read_history(paths.history("maml", 42)), result


def test_the_same_records_give_the_same_bytes(records: Records, tmp_path: Path) -> None:
    folders = [tmp_path / "once", tmp_path / "again"]
    for folder in folders:
        folder.mkdir()
        draw_figures(folder, *records)
    for name in ("learning_curve.png", "accuracy_by_step.png"):
        once, again = ((folder / name).read_bytes() for folder in folders)
        assert once == again


def test_a_picture_shows_its_numbers(records: Records, tmp_path: Path) -> None:
    run, history, result = records
    draw_figures(tmp_path, run, history, result)
    whole = (tmp_path / "learning_curve.png").read_bytes()
    draw_figures(tmp_path, run, history[:-1], result)
    assert (tmp_path / "learning_curve.png").read_bytes() != whole


def test_a_network_that_adapts_in_no_steps_is_drawn_too(records: Records, tmp_path: Path) -> None:
    run, history, result = records
    record = json.loads(result.model_dump_json())
    single = Result.model_validate_json(json.dumps(record | {"by_step": record["by_step"][:1]}))
    for rows in (history[:1], []):
        draw_figures(tmp_path, run, rows, single)
        for name in ("accuracy_by_step.png", "learning_curve.png"):
            with Image.open(tmp_path / name) as picture:
                assert picture.width > 450 and picture.height > 300
