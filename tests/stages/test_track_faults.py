"""Publications that are killed, meet a busy database or a full disk, or find a run that lacks something."""

import sqlite3
from contextlib import closing
from multiprocessing.context import ForkServerContext
from pathlib import Path

import finished_run
import pytest
from draws import first_is_quick, often
from filelock import FileLock
from mlflow_runs import change, client, command, experiment, publish_maml, refusal, runs
from shell import refusal_of

from metaglot.core.common.atomic_files import read_json
from metaglot.tracking import mlflow_client
from stages import track
from stages.support import paths


def test_a_run_made_by_a_request_that_was_sent_twice_is_one_afterwards(workspace: Path) -> None:
    run, mlflow = publish_maml(workspace), client(workspace)
    mlflow.create_run(run.info.experiment_id, tags=run.data.tags)
    assert publish_maml(workspace).info.run_id == run.info.run_id


@pytest.mark.parametrize("_round", range(often(1, 20)))
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
    run = publish_maml(workspace)
    assert run.info.status == "FINISHED"


def test_an_experiment_deleted_in_mlflow_is_refused_with_the_way_back(workspace: Path) -> None:
    track.main("maml", 42)
    mlflow = client(workspace)
    mlflow.delete_experiment(experiment(mlflow).experiment_id)
    assert "mlflow experiments restore --experiment-id 1" in refusal()


def test_a_disk_that_is_full_is_one_line_and_leaves_no_half_of_a_database(bare: Path) -> None:
    before = set(bare.rglob("*"))
    refused = command(bare, "bash", "-c", 'ulimit -f 100; exec "$@"', "bash")
    assert refusal_of(refused).startswith("error: MLflow at sqlite:///")
    assert {path.name for path in set(bare.rglob("*")) - before} == {".metaglot", "track.lock"}


@pytest.mark.parametrize("table", first_is_quick("metrics", "params", "latest_metrics"))
def test_with_asynchronous_logging_a_run_that_cannot_be_stored_is_not_closed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_LOGGING", "true")
    change(workspace, f"CREATE TRIGGER t BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    assert "disk full" in refusal_of(command(workspace))
    (run,) = runs(client(workspace))
    assert run.info.status == "RUNNING"
    change(workspace, "DROP TRIGGER t")
    assert command(workspace).returncode == 0
    (run,) = runs(client(workspace))
    assert run.info.status == "FINISHED" and "test_accuracy" in run.data.metrics


def test_a_finished_run_that_lacks_metrics_is_completed(workspace: Path) -> None:
    track.main("maml", 42)
    change(workspace, "DELETE FROM latest_metrics", "DELETE FROM metrics")
    run = publish_maml(workspace)
    assert run.data.metrics["test_accuracy"] == read_json(paths.result("maml", 42))["accuracy"]["mean"]


@pytest.mark.parametrize("lost", ["train_loss", "gradient_norm", "test_by_step_accuracy"])
def test_a_finished_run_that_lacks_a_part_of_a_curve_is_completed(workspace: Path, lost: str) -> None:
    run = publish_maml(workspace)
    whole = client(workspace).get_metric_history(run.info.run_id, lost)
    change(workspace, f"DELETE FROM metrics WHERE key = '{lost}' AND step = {whole[1].step}")
    run = publish_maml(workspace)
    completed = client(workspace).get_metric_history(run.info.run_id, lost)
    assert {(point.step, point.value) for point in completed} == {(point.step, point.value) for point in whole}
    assert len(completed) == len(whole) and run.info.status == "FINISHED"


@pytest.mark.parametrize("is_emptied", [True, False])
def test_a_finished_run_that_lacks_a_figure_or_its_dataset_is_completed(workspace: Path, is_emptied: bool) -> None:
    track.main("maml", 42)
    (figure,) = (workspace / "mlartifacts").rglob("learning_curve.png")
    drawn = figure.read_bytes()
    figure.write_bytes(b"") if is_emptied else figure.unlink()
    change(workspace, "DELETE FROM inputs")
    run = publish_maml(workspace)
    assert figure.read_bytes() == drawn and len(run.inputs.dataset_inputs) == 1
