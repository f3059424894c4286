"""What a publication writes to MLflow: a run with its names, numbers, curves, tags and pictures."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import finished_run
import pytest
from draws import first_is_quick
from histories import rows
from mlflow.entities import Run
from mlflow_runs import TASK, client, command, publish_maml, refusal, runs, working_in
from params_file import ROOT
from shell import refusal_of
from sqlalchemy import event
from sqlalchemy.engine import Engine

from metaglot.core.common.atomic_files import read_json, read_yaml, write_json, write_yaml
from stages import track
from stages.support import paths


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """Where MAML's training was published once, to be read only."""
    folder = tmp_path_factory.mktemp("published")
    shutil.copy(migrated, folder)
    with working_in(folder):
        finished_run.write("maml")
        track.main("maml", 42)
    return folder


@pytest.fixture
def run(published: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Its run in MLflow; the files that it was made from are in the working directory."""
    monkeypatch.chdir(published)
    (run,) = runs(client(published))
    return run


def test_a_run_has_the_name_the_times_and_the_params_of_its_training(run: Run) -> None:
    record = read_json(paths.run_record("maml", 42))
    assert run.info.run_name == "MAML · seed 42"
    assert (run.info.start_time, run.info.end_time) == (record["started_at"], record["ended_at"])
    assert run.info.status == "FINISHED"
    assert run.data.params["train.meta_lr"] == "0.003"
    assert run.data.params["first_order"] == "false"
    assert run.data.params["task.rotations"] == "class"
    assert run.data.params["evaluate.tasks"] == "10000"
    assert run.data.params["seed"] == "42"


def test_the_metrics_are_the_numbers_of_the_files(run: Run) -> None:
    record, result = read_json(paths.run_record("maml", 42)), read_json(paths.result("maml", 42))
    low, high = result["accuracy"]["ci95_by_character"]
    expected = {
        "test_accuracy": result["accuracy"]["mean"],
        "test_accuracy_percent": 100 * result["accuracy"]["mean"],
        "test_accuracy_ci95_low": result["accuracy"]["ci95"][0],
        "test_accuracy_ci95_high": result["accuracy"]["ci95"][1],
        "test_accuracy_by_character_low": low,
        "test_accuracy_by_character_high": high,
        "test_accuracy_percent_by_character_low": 100 * low,
        "test_accuracy_percent_by_character_high": 100 * high,
        "test_loss": result["loss"]["mean"],
        "test_loss_ci95_high": result["loss"]["ci95"][1],
        "test_inductive_accuracy": result["inductive"]["accuracy"]["mean"],
        "test_inductive_loss": result["inductive"]["loss"]["mean"],
        "test_writeup_accuracy": result["writeup"]["accuracy"],
        "test_writeup_loss": result["writeup"]["loss"],
        "train_seconds": record["train_seconds"],
        "validation_seconds": record["validation_seconds"],
        "train_setup_seconds": record["setup_seconds"],
        "train_iterations_per_second": record["iterations_per_second"],
        "train_peak_memory_mb": record["peak_memory_mb"],
    }
    assert {name: run.data.metrics[name] for name in expected} == expected


def test_the_curves_stand_at_their_iterations_and_times(published: Path, run: Run) -> None:
    mlflow, started = client(published), read_json(paths.run_record("maml", 42))["started_at"]
    history = rows(paths.history("maml", 42))
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "gradient_norm"):
        curve = [(p.step, p.timestamp, p.value) for p in mlflow.get_metric_history(run.info.run_id, name)]
        expected = [
            (int(row["iteration"]), started + 1000 * float(row["seconds"]), float(row[name]))
            for row in history
            if row[name]
        ]
        assert curve == expected
    steps = mlflow.get_metric_history(run.info.run_id, "test_by_step_accuracy")
    by_step = read_json(paths.result("maml", 42))["by_step"]
    assert [(p.step, p.value) for p in steps] == [(row["step"], row["accuracy"]) for row in by_step]


def test_tags_say_where_a_run_comes_from_and_its_pictures_lie_at_the_root(published: Path, run: Run) -> None:
    record = read_json(paths.run_record("maml", 42))
    tags = {name: run.data.tags[name] for name in ("commit", "device", "dataset", "dvc.experiments")}
    assert tags == {
        "commit": record["commit"],
        "device": record["device"],
        "dataset": "omniglot",
        "dvc.experiments": "workspace",
    }
    pictures = {file.path for file in client(published).list_artifacts(run.info.run_id)}
    assert pictures == {"learning_curve.png", "accuracy_by_step.png"}
    assert run.info.artifact_uri == (published / "mlartifacts" / run.info.run_id / "artifacts").as_uri()


def test_the_note_of_a_run_answers_how_good_how_sure_and_how_long(run: Run) -> None:
    note = run.data.tags["mlflow.note.content"]
    assert all(words in note for words in ("97.56%", "97.25% to 97.85%", "606.4 s", "Some CPU @ 2.50GHz"))


def test_what_was_not_trained_and_adapts_in_no_steps_is_published_too(workspace: Path) -> None:
    record, result, history = (path("maml", 42) for path in (paths.run_record, paths.result, paths.history))
    untrained = {"train_seconds": 0.0, "iterations_per_second": 0.0, "peak_memory_mb": None, "parity": None}
    config = read_json(record)["config"] | {"first_order": None}
    write_json(record, read_json(record) | untrained | {"config": config})
    write_json(result, read_json(result) | {"first_order": None, "by_step": read_json(result)["by_step"][:1]})
    history.write_text(history.read_text().splitlines()[0] + "\n")
    run, mlflow = publish_maml(workspace), client(workspace)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["train_seconds"] == 0 and "train_loss" not in run.data.metrics
    assert run.data.params["first_order"] == "null"
    assert len(mlflow.get_metric_history(run.info.run_id, "test_by_step_accuracy")) == 1
    assert len(mlflow.list_artifacts(run.info.run_id)) == 2


def test_publishing_twice_makes_one_run_that_knows_both_dvc_experiments(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("brave-owl", "calm-fox", "brave-owl"):
        monkeypatch.setenv("DVC_EXP_NAME", name)
        run = publish_maml(workspace)
    assert run.data.tags["dvc.experiments"] == "brave-owl, calm-fox"


def test_tags_that_somebody_deleted_return(workspace: Path) -> None:
    run = publish_maml(workspace)
    for tag in ("dvc.experiments", "metaglot.result"):
        client(workspace).delete_tag(run.info.run_id, tag)
    again = publish_maml(workspace)
    assert {key: again.data.tags[key] for key in run.data.tags} == run.data.tags


def test_another_training_and_another_evaluation_are_other_runs(workspace: Path) -> None:
    track.main("maml", 42)
    record = paths.run_record("maml", 42)
    write_json(record, read_json(record) | {"started_at": finished_run.STARTED - 1})
    track.main("maml", 42)
    asked, result = paths.evaluate_config("maml"), paths.result("maml", 42)
    fewer = read_json(result)["evaluate"] | {"tasks": 600}
    write_yaml(asked, read_yaml(asked) | {"evaluate": fewer})
    write_json(result, read_json(result) | {"evaluate": fewer})
    track.main("maml", 42)
    assert sorted(run.data.params["evaluate.tasks"] for run in runs(client(workspace))) == ["10000", "10000", "600"]


def test_scores_of_another_evaluation_are_not_published(workspace: Path) -> None:
    asked = paths.evaluate_config("maml")
    write_yaml(asked, read_yaml(asked) | {"evaluate": {"tasks": 600, "adaptation_steps": 1, "seed": 0}})
    assert "does not answer data/config/maml/evaluate.yaml" in refusal()


def test_a_run_on_glyphs_says_so_everywhere(workspace: Path) -> None:
    finished_run.write("fomaml", dataset="glyphs (synthetic)")
    track.main("fomaml", 42)
    (run,) = runs(client(workspace), "glyphs (synthetic)-5way-5shot-fc")
    assert run.data.tags["dataset"] == run.data.params["dataset"] == "glyphs (synthetic)"
    assert "glyphs (synthetic)" in run.data.tags["mlflow.note.content"]
    assert run.inputs.dataset_inputs[0].dataset.name == "glyphs (synthetic)"


def test_publishing_beside_a_hundred_runs_asks_no_more_of_the_database_than_beside_one(workspace: Path) -> None:
    statements: list[str] = []

    def count(seed: int) -> int:
        finished_run.write("fomaml", seed, rows=121)
        statements.clear()
        track.main("fomaml", seed)
        return len(statements)

    def remember(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        statements.append(statement)

    run = publish_maml(workspace)
    event.listen(Engine, "before_cursor_execute", remember)
    try:
        beside_one = count(42)
        finished_run.multiply(workspace / "mlflow.db", run.info.run_id, 99)
        assert len(runs(client(workspace))) == 101
        assert 50 < count(43) <= beside_one
    finally:
        event.remove(Engine, "before_cursor_execute", remember)


def test_the_command_says_one_line_and_nothing_of_mlflows(bare: Path) -> None:
    done = command(bare)
    assert (done.returncode, done.stderr) == (0, "")
    published = f"MAML · seed 42 is in MLflow's experiment {TASK} at sqlite:///{bare}/mlflow.db"
    assert done.stdout == f"{published}; no model was published: data/models/maml-42/weights.safetensors is not there\n"
    paths.run_record("maml", 42).unlink()
    assert refusal_of(command(bare)).startswith("error: data/models/maml-42/run.json is not there")


@pytest.mark.parametrize("encoding", first_is_quick("ascii", "latin-1", "cp1252"))
def test_output_that_is_not_utf_8_stops_nothing(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    line = [sys.executable, "-m", "stages.track", "maml", "--seed", "42"]
    done = subprocess.run(line, cwd=workspace, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.returncode == 0 and done.stdout.startswith(b"MAML")
