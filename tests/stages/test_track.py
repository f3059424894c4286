"""Publishing to MLflow: real SQLite, a real server, real processes that are killed."""

import csv
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import finished_run
import pytest
from draws import first_is_quick, often
from filelock import FileLock
from mlflow import MlflowClient
from mlflow_runs import TASK, client, experiment, killed, runs
from sqlalchemy import event
from sqlalchemy.engine import Engine

from metaglot.core.common.atomic_files import read_json, read_yaml, write_json, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.tracking import mlflow_client
from stages import track
from stages.support import paths
from tools.mlflow_server import free_port, serve

ROUNDS = often(1, 20)
ROOT = Path(track.__file__).parents[1]


def refusal() -> str:
    """What the stage says, in one line, when it cannot publish MAML's training."""
    with pytest.raises(UserError) as caught:
        track.main("maml", 42)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_run_has_the_name_the_times_and_the_params_of_its_training(workspace: Path) -> None:
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    record = read_json(paths.run_record("maml", 42))
    assert run.info.run_name == "MAML · seed 42"
    assert (run.info.start_time, run.info.end_time) == (record["started_at"], record["ended_at"])
    assert run.info.status == "FINISHED"
    assert run.data.params["train.meta_lr"] == "0.003"
    assert run.data.params["first_order"] == "false"
    assert run.data.params["task.rotations"] == "class"
    assert run.data.params["evaluate.tasks"] == "10000"
    assert run.data.params["seed"] == "42"


def test_the_metrics_are_the_numbers_of_the_files(workspace: Path) -> None:
    track.main("maml", 42)
    (run,) = runs(client(workspace))
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


def test_the_curves_stand_at_their_iterations_and_times(workspace: Path) -> None:
    track.main("maml", 42)
    mlflow, started = client(workspace), read_json(paths.run_record("maml", 42))["started_at"]
    (run,) = runs(mlflow)
    with paths.history("maml", 42).open() as file:
        rows = list(csv.DictReader(file))
    for name in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "gradient_norm"):
        curve = [(p.step, p.timestamp, p.value) for p in mlflow.get_metric_history(run.info.run_id, name)]
        expected = [
            (int(row["iteration"]), started + 1000 * float(row["seconds"]), float(row[name]))
            for row in rows
            if row[name]
        ]
        assert curve == expected
    steps = mlflow.get_metric_history(run.info.run_id, "test_by_step_accuracy")
    by_step = read_json(paths.result("maml", 42))["by_step"]
    assert [(p.step, p.value) for p in steps] == [(one["step"], one["accuracy"]) for one in by_step]


def test_tags_say_where_a_run_comes_from_and_its_pictures_lie_at_the_root(workspace: Path) -> None:
    track.main("maml", 42)
    mlflow = client(workspace)
    (run,) = runs(mlflow)
    record = read_json(paths.run_record("maml", 42))
    tags = {name: run.data.tags[name] for name in ("commit", "device", "dataset", "dvc.experiments")}
    assert tags == {
        "commit": record["commit"],
        "device": record["device"],
        "dataset": "omniglot",
        "dvc.experiments": "workspace",
    }
    pictures = {file.path for file in mlflow.list_artifacts(run.info.run_id)}
    assert pictures == {"learning_curve.png", "accuracy_by_step.png"}
    assert run.info.artifact_uri == (workspace / "mlartifacts" / run.info.run_id / "artifacts").as_uri()


def test_the_note_of_a_run_answers_how_good_how_sure_and_how_long(workspace: Path) -> None:
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    note = run.data.tags["mlflow.note.content"]
    assert all(words in note for words in ("97.56%", "97.25% to 97.85%", "606.4 s", "Some CPU @ 2.50GHz"))


def test_what_was_not_trained_and_adapts_in_no_steps_is_published_too(workspace: Path) -> None:
    record, result, history = (path("maml", 42) for path in (paths.run_record, paths.result, paths.history))
    untrained = {"train_seconds": 0.0, "iterations_per_second": 0.0, "peak_memory_mb": None, "parity": None}
    config = read_json(record)["config"] | {"first_order": None}
    write_json(record, read_json(record) | untrained | {"config": config})
    write_json(result, read_json(result) | {"first_order": None, "by_step": read_json(result)["by_step"][:1]})
    history.write_text(history.read_text().splitlines()[0] + "\n")
    track.main("maml", 42)
    mlflow = client(workspace)
    (run,) = runs(mlflow)
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
        track.main("maml", 42)
    (run,) = runs(client(workspace))
    assert run.data.tags["dvc.experiments"] == "brave-owl, calm-fox"


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


def test_corrected_scores_take_the_place_of_those_published_before(workspace: Path) -> None:
    track.main("maml", 42)
    path = paths.result("maml", 42)
    result = read_json(path)
    result["accuracy"]["mean"] = 0.5
    write_json(path, result)
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    assert run.data.metrics["test_accuracy"] == 0.5


def test_scores_of_another_evaluation_are_not_published(workspace: Path) -> None:
    asked = paths.evaluate_config("maml")
    write_yaml(asked, read_yaml(asked) | {"evaluate": {"tasks": 600, "adaptation_steps": 1, "seed": 0}})
    assert "does not answer data/config/maml/evaluate.yaml" in refusal()


def test_a_run_made_by_a_request_that_was_sent_twice_is_one_afterwards(workspace: Path) -> None:
    track.main("maml", 42)
    mlflow = client(workspace)
    (run,) = runs(mlflow)
    mlflow.create_run(run.info.experiment_id, tags=run.data.tags)
    track.main("maml", 42)
    assert [one.info.run_id for one in runs(mlflow)] == [run.info.run_id]


def test_in_a_temporary_copy_all_goes_to_the_repository_that_owns_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(workspace))
    for uri in ("", "sqlite:///mlflow.db"):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        copy = workspace / ".dvc/tmp/exps" / (uri.partition(":")[0] or "default")
        copy.mkdir(parents=True)
        shutil.copytree(workspace / "data", copy / "data")
        monkeypatch.chdir(copy)
        track.main("maml", 42)
        assert [path.name for path in copy.iterdir()] == ["data"]
    (run,) = runs(client(workspace))
    assert (workspace / "mlartifacts" / run.info.run_id / "artifacts" / "learning_curve.png").exists()


def test_a_run_on_glyphs_says_so_everywhere(workspace: Path) -> None:
    finished_run.write("fomaml", dataset="glyphs (synthetic)")
    track.main("fomaml", 42)
    (run,) = runs(client(workspace), "glyphs (synthetic)-5way-5shot-fc")
    assert run.data.tags["dataset"] == run.data.params["dataset"] == "glyphs (synthetic)"
    assert "glyphs (synthetic)" in run.data.tags["mlflow.note.content"]
    assert run.inputs.dataset_inputs[0].dataset.name == "glyphs (synthetic)"


@pytest.mark.slow
def test_a_publication_killed_at_any_moment_is_completed_and_never_doubled(
    workspace: Path, processes: ForkServerContext
) -> None:
    moments, seeds = random.Random(0), range(8 * ROUNDS)
    kills = 0
    for seed in seeds:
        finished_run.write("maml", seed)
        kills += killed(processes, workspace, seed, moments.uniform(0.02, 0.6))
        track.main("maml", seed)
    found = runs(client(workspace))
    assert kills > 0
    assert sorted(run.data.params["seed"] for run in found) == sorted(map(str, seeds))
    assert {run.info.status for run in found} == {"FINISHED"}
    assert {len(run.data.metrics) for run in found} == {len(found[0].data.metrics)}


@pytest.mark.slow
def test_one_killed_while_it_makes_the_database_leaves_no_half_of_it(bare: Path, processes: ForkServerContext) -> None:
    kills = [killed(processes, bare, 42, seconds) for seconds in (0.1, 0.3, 0.6)]
    assert any(kills)
    track.main("maml", 42)
    assert len(runs(client(bare))) == 1


@pytest.mark.parametrize("_round", range(ROUNDS))
@pytest.mark.slow
def test_eight_publishers_at_once_on_a_fresh_database_make_eight_runs(
    bare: Path, processes: ForkServerContext, _round: int
) -> None:
    for seed in range(8):
        finished_run.write("fomaml", seed)
    jobs = [(bare, "fomaml", seed) for seed in range(8)]
    workers = [processes.Process(target=finished_run.publish, args=job) for job in jobs]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0] * 8
    names = sorted(run.info.run_name for run in runs(client(bare)))
    assert names == [f"FOMAML · seed {seed}" for seed in range(8)]


def test_a_database_that_another_program_holds_is_waited_for_and_said(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_client, "DATABASE_SECONDS", 0.2)
    with closing(sqlite3.connect(workspace / "mlflow.db")) as other:
        other.execute("BEGIN IMMEDIATE")
        message = refusal()
    assert "database is locked" in message and "close what holds" in message
    track.main("maml", 42)


def test_a_worker_waits_for_another_that_publishes_but_not_for_ever(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(track, "LOCK_SECONDS", 0.2)
    (workspace / ".metaglot").mkdir()
    with FileLock(workspace / ".metaglot" / "track.lock"):
        message = refusal()
    assert "track.lock has been held for" in message and "dvc repro" in message


def test_artifacts_that_cannot_be_written_are_said_and_the_run_is_completed_later(workspace: Path) -> None:
    (workspace / "mlartifacts").write_text("no folder")
    assert f"cannot be written ({workspace}/mlartifacts" in refusal()
    (workspace / "mlartifacts").unlink()
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    assert run.info.status == "FINISHED"


def test_an_experiment_deleted_in_mlflow_is_refused_with_the_way_back(workspace: Path) -> None:
    track.main("maml", 42)
    mlflow = client(workspace)
    mlflow.delete_experiment(experiment(mlflow).experiment_id)
    assert "mlflow experiments restore --experiment-id 1" in refusal()


@pytest.mark.parametrize("original_stays", [True, False])
def test_in_a_repository_that_was_copied_or_moved_artifacts_lie_in_it(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, original_stays: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    track.main("maml", 42)
    elsewhere = workspace.with_name(f"{workspace.name} elsewhere")
    if original_stays:
        shutil.copytree(workspace, elsewhere)
    else:
        workspace.rename(elsewhere)
    before = set(workspace.rglob("*"))
    monkeypatch.chdir(elsewhere)
    track.main("maml", 42)
    (run,) = runs(client(elsewhere))
    assert (elsewhere / "mlartifacts" / run.info.run_id / "artifacts/learning_curve.png").exists()
    assert set(workspace.rglob("*")) == before
    kept = f"{TASK} (artifacts in {workspace}/mlartifacts)"
    assert len(runs(client(elsewhere), kept)) == 1 and kept in capsys.readouterr().err


def test_a_shared_database_keeps_artifacts_beside_itself(
    workspace: Path, migrated: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path_factory.mktemp("shared")
    shutil.copy(migrated, shared)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}/mlflow.db")
    track.main("maml", 42)
    (run,) = runs(client(shared))
    assert (shared / "mlartifacts" / run.info.run_id).exists() and not (workspace / "mlartifacts").exists()


def test_a_shared_database_whose_artifact_folder_is_gone_is_told_to_make_the_folder(
    workspace: Path, migrated: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, gone = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("gone")
    shutil.copy(migrated, shared)
    client(shared).create_experiment(TASK, (gone / "mlartifacts").as_uri())
    gone.rmdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}/mlflow.db")
    message = refusal()
    assert f"{gone} is no folder: make it, or name another database" in message and "move" not in message


def test_publishing_beside_a_hundred_runs_asks_no_more_of_the_database_than_beside_one(workspace: Path) -> None:
    statements: list[str] = []

    def count(seed: int) -> int:
        finished_run.write("fomaml", seed, rows=121)
        statements.clear()
        track.main("fomaml", seed)
        return len(statements)

    def remember(connection: Any, cursor: Any, statement: str, *others: Any) -> None:
        statements.append(statement)

    track.main("maml", 42)
    (run,) = runs(client(workspace))
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
    refused = command(bare)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.startswith("error: data/models/maml-42/run.json is not there")


def test_a_disk_that_is_full_is_one_line_and_leaves_no_half_of_a_database(bare: Path) -> None:
    before = set(bare.rglob("*"))
    refused = command(bare, "bash", "-c", 'ulimit -f 100; exec "$@"', "bash")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.startswith("error: MLflow at sqlite:///")
    assert {path.name for path in set(bare.rglob("*")) - before} == {".metaglot", "track.lock"}


@pytest.mark.parametrize("table", first_is_quick("metrics", "params", "latest_metrics"))
def test_with_asynchronous_logging_a_run_that_cannot_be_stored_is_not_closed(
    bare: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    full = f"CREATE TRIGGER t BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    with closing(sqlite3.connect(workspace / "mlflow.db")) as database:
        database.execute(full)
    refused = command(bare)
    assert refused.returncode == 1 and "disk full" in refused.stderr and refused.stderr.count("\n") == 1
    (run,) = runs(client(workspace))
    assert run.info.status == "RUNNING"
    with closing(sqlite3.connect(workspace / "mlflow.db")) as database:
        database.execute("DROP TRIGGER t")
    assert command(bare).returncode == 0
    (run,) = runs(client(workspace))
    assert run.info.status == "FINISHED" and "test_accuracy" in run.data.metrics


def test_a_finished_run_that_lacks_metrics_is_completed(workspace: Path) -> None:
    track.main("maml", 42)
    with closing(sqlite3.connect(workspace / "mlflow.db")) as database:
        database.execute("DELETE FROM latest_metrics")
        database.execute("DELETE FROM metrics")
        database.commit()
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    assert run.data.metrics["test_accuracy"] == read_json(paths.result("maml", 42))["accuracy"]["mean"]


@pytest.mark.parametrize("lost", ["train_loss", "gradient_norm", "test_by_step_accuracy"])
def test_a_finished_run_that_lacks_a_part_of_a_curve_is_completed(workspace: Path, lost: str) -> None:
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    whole = client(workspace).get_metric_history(run.info.run_id, lost)
    with closing(sqlite3.connect(workspace / "mlflow.db")) as database:
        database.execute("DELETE FROM metrics WHERE key = ? AND step = ?", (lost, whole[1].step))
        database.commit()
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    completed = client(workspace).get_metric_history(run.info.run_id, lost)
    assert {(point.step, point.value) for point in completed} == {(point.step, point.value) for point in whole}
    assert len(completed) == len(whole) and run.info.status == "FINISHED"


@pytest.mark.parametrize("is_emptied", [True, False])
def test_a_finished_run_that_lacks_a_figure_or_its_dataset_is_completed(workspace: Path, is_emptied: bool) -> None:
    track.main("maml", 42)
    (figure,) = (workspace / "mlartifacts").rglob("learning_curve.png")
    drawn = figure.read_bytes()
    figure.write_bytes(b"") if is_emptied else figure.unlink()
    with closing(sqlite3.connect(workspace / "mlflow.db")) as database:
        database.execute("DELETE FROM inputs")
        database.commit()
    track.main("maml", 42)
    (run,) = runs(client(workspace))
    assert figure.read_bytes() == drawn and len(run.inputs.dataset_inputs) == 1


@pytest.mark.parametrize(
    "address",
    first_is_quick(
        "http://alice:s3@cr3t@127.0.0.1:59999",
        "http://alice:s3cr3t@127.0.0.1:59999",
        "http://127.0.0.1:9/?token=s3cr3t",
        "postgresql://alice:s3cr3t@127.0.0.1:9/x",
        "mysql://alice:s3cr3t@127.0.0.1:9/x",
    ),
)
def test_no_password_is_shown(bare: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    refused = command(bare)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert "cr3t" not in refused.stderr + refused.stdout and "alice" not in refused.stderr


@pytest.mark.parametrize("name", ["feature%2Fx", "my%20project", "a?b", "a#b", "a 'b' \"c\" & ; = @ : \\ é"])
def test_a_repository_of_any_name_keeps_its_own_database(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = workspace / name
    folder.mkdir()
    shutil.copytree(workspace / "data", folder / "data")
    monkeypatch.chdir(folder)
    track.main("maml", 42)
    assert {path.name for path in folder.iterdir()} == {"data", "mlflow.db", "mlartifacts", ".metaglot"}
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    assert len(list((folder / "mlartifacts").rglob("learning_curve.png"))) == 1


def test_a_package_that_a_login_needs_is_named(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_TRACKING_AWS_SIGV4", "true")
    refused = command(bare)
    assert refused.returncode == 1 and refused.stderr.count("\n") == 1
    assert "No module named 'requests_auth_aws_sigv4'" in refused.stderr and "correct that" in refused.stderr


def test_another_project_s_dvc_root_is_not_ours(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("another project")
    monkeypatch.setenv("DVC_ROOT", str(other))
    track.main("maml", 42)
    assert len(runs(client(workspace))) == 1 and list(other.iterdir()) == []


def test_a_link_to_a_database_is_followed(
    bare: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path_factory.mktemp("real") / "runs.db"
    (bare / "mlflow.db").symlink_to(real)
    track.main("maml", 42)
    assert (bare / "mlflow.db").is_symlink() and real.exists()


@pytest.mark.parametrize(
    "variable, value, message",
    first_is_quick(
        ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "99999999", "RETRIES: got '99999999'; takes a whole number from 0 to 10"),
        ("MLFLOW_CONFIGURE_LOGGING", "maybe", "MLFLOW_CONFIGURE_LOGGING value must be one of ['true'"),
        ("MLFLOW_LOGGING_LEVEL", "loud", "MLFLOW_LOGGING_LEVEL: got 'loud'; takes CRITICAL"),
        ("MLFLOW_TRACKING_URI", "http://[bad", "MLFLOW_TRACKING_URI=http://[bad is not a valid address"),
        ("MLFLOW_TRACKING_URI", "localhost:5000", "did you mean http://localhost:5000?"),
        ("MLFLOW_TRACKING_URI", "sqlite:///~/x.db", "/~ is no folder"),
        ("MLFLOW_TRACKING_URI", "sqlite:///tmp/nowhere/x.db", "/tmp/nowhere is no folder"),
        ("MLFLOW_TRACKING_URI", "sqlite:///notes.txt?timeout=long", "could not convert string to float"),
        ("MLFLOW_TRACKING_URI", "sqlite:///data", "/data is a folder"),
        ("MLFLOW_TRACKING_URI", "./notes", "MLflow keeps runs only with MLFLOW_ALLOW_FILE_STORE=true"),
        ("MLFLOW_TRACKING_URI", "sqlite:///notes.txt", "the file is no SQLite database"),
    ),
)
def test_a_malformed_variable_is_one_line_that_names_it(
    bare: Path, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    (bare / "notes.txt").write_text("no database, but a text that is long enough to be looked at\n" * 20)
    before = set(bare.rglob("*"))
    monkeypatch.setenv(variable, value)
    refused = command(bare)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert refused.stderr.startswith("error: ") and message in refused.stderr
    assert {path.name for path in set(bare.rglob("*")) - before} <= {".metaglot", "track.lock"}


@pytest.mark.parametrize("address", first_is_quick("./mlruns", "mlruns", "file:mlruns"))
def test_a_relative_folder_is_taken_from_the_repository_s_root(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    copy = workspace / ".dvc/tmp/exps/standalone"
    shutil.copytree(workspace / "data", copy / "data")
    monkeypatch.chdir(copy)
    for name, value in {
        "DVC_ROOT": str(workspace),
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_ALLOW_FILE_STORE": "true",
    }.items():
        monkeypatch.setenv(name, value)
    done = command(copy)
    assert done.returncode == 0, done.stderr
    assert (workspace / "mlruns").exists() and [path.name for path in copy.iterdir()] == ["data"]


@pytest.mark.parametrize("encoding", first_is_quick("ascii", "latin-1", "cp1252"))
def test_output_that_is_not_utf_8_stops_nothing(bare: Path, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    line = [sys.executable, "-m", "stages.track", "maml", "--seed", "42"]
    done = subprocess.run(line, cwd=bare, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True)
    assert done.returncode == 0 and done.stdout.startswith(b"MAML")


def command(folder: Path, *under: str) -> subprocess.CompletedProcess[str]:
    line = [*under, sys.executable, "-m", "stages.track", "maml", "--seed", "42"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)


def test_a_server_that_is_down_costs_a_line_and_takes_the_run_once_it_is_up(
    bare: Path, migrated: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, elsewhere = free_port(), tmp_path_factory.mktemp("server")
    shutil.copy(migrated, elsewhere)
    address = f"http://127.0.0.1:{port}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    message = refusal()
    assert message.startswith(f"MLflow at {address} took no run") and "unset MLFLOW_TRACKING_URI" in message
    with serve(elsewhere, port):
        for _ in range(2):
            track.main("maml", 42)
        mlflow = MlflowClient(address)
        (run,) = runs(mlflow)
        assert run.data.metrics["test_accuracy"] == read_json(paths.result("maml", 42))["accuracy"]["mean"]
        assert {file.path for file in mlflow.list_artifacts(run.info.run_id)} == {
            "learning_curve.png",
            "accuracy_by_step.png",
        }
    assert not (bare / "mlartifacts").exists()
