"""Where a publication goes: the repository's own database, a shared one, a server; and what it says of an address."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from draws import first_is_quick
from mlflow import MlflowClient
from mlflow_runs import TASK, client, command, publish_maml, refusal, runs
from shell import refusal_of

from metaglot.core.common.atomic_files import read_json
from metaglot.tracking.mlflow_client import create_database
from stages import track
from stages.support import paths
from tools.mlflow_server import free_port, serve


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
    run = publish_maml(elsewhere)
    assert (elsewhere / "mlartifacts" / run.info.run_id / "artifacts/learning_curve.png").exists()
    assert set(workspace.rglob("*")) == before
    kept = f"{TASK} (artifacts in {workspace}/mlartifacts)"
    assert len(runs(client(elsewhere), kept)) == 1 and kept in capsys.readouterr().err


def test_a_repository_that_is_seen_at_two_paths_in_turn_has_an_experiment_of_each(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = workspace.with_name(f"{workspace.name} mounted")
    track.main("maml", 42)
    for here, there in [(workspace, elsewhere), (elsewhere, workspace)] * 2:
        here.rename(there)
        monkeypatch.chdir(there)
        publish_maml(there)
    names = {experiment.name for experiment in client(workspace).search_experiments()}
    assert names == {"Default", TASK, f"{TASK} (artifacts in {elsewhere}/mlartifacts)"}
    assert len(runs(client(workspace))) == 1


@pytest.fixture
def shared(migrated: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own with an empty database, which MLFLOW_TRACKING_URI names."""
    folder = tmp_path_factory.mktemp("shared")
    shutil.copy(migrated, folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
    return folder


def test_a_shared_database_keeps_artifacts_beside_itself(workspace: Path, shared: Path) -> None:
    run = publish_maml(shared)
    assert (shared / "mlartifacts" / run.info.run_id).exists() and not (workspace / "mlartifacts").exists()


@pytest.mark.usefixtures("workspace")
def test_a_database_that_another_checkout_made_meanwhile_stays_with_its_runs(shared: Path) -> None:
    run = publish_maml(shared)
    create_database(shared / "mlflow.db")
    assert [other.info.run_id for other in runs(client(shared))] == [run.info.run_id]


def test_on_a_file_system_without_links_a_database_is_made_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    create_database(tmp_path / "mlflow.db")
    assert [path.name for path in tmp_path.iterdir()] == ["mlflow.db"]
    assert [experiment.name for experiment in client(tmp_path).search_experiments()] == ["Default"]


def test_a_shared_database_whose_artifact_folder_is_gone_is_told_to_make_the_folder(
    workspace: Path, shared: Path
) -> None:
    gone = shared / "gone"
    client(shared).create_experiment(TASK, (gone / "mlartifacts").as_uri())
    message = refusal()
    assert f"{gone} is no folder: make it, or name another database" in message and "move" not in message


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
    line = refusal_of(command(bare))
    assert "cr3t" not in line and "alice" not in line


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
    line = refusal_of(command(bare))
    assert "No module named 'requests_auth_aws_sigv4'" in line and "correct that" in line


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
        ("MLFLOW_TRACKING_URI", "http://[bad", "MLFLOW_TRACKING_URI=http://[bad is not a valid address"),
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
    line = refusal_of(command(bare))
    assert line.startswith("error: ") and message in line
    assert {path.name for path in set(bare.rglob("*")) - before} <= {".metaglot", "track.lock"}


@pytest.mark.parametrize("address", first_is_quick("./mlruns", "mlruns", "file:mlruns"))
def test_a_relative_folder_is_taken_from_the_repository_s_root(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    copy = workspace / ".dvc/tmp/exps/standalone"
    shutil.copytree(workspace / "data", copy / "data")
    monkeypatch.chdir(copy)
    monkeypatch.setenv("DVC_ROOT", str(workspace))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    done = command(copy)
    assert done.returncode == 0, done.stderr
    assert (workspace / "mlruns").exists() and [path.name for path in copy.iterdir()] == ["data"]


@pytest.mark.slow
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
