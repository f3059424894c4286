"""Tracking by a real server, over each database that it may keep: down, up, twice, and eight publishers at once."""

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import finished_run
import pytest
from draws import long
from mlflow import MlflowClient
from params_file import TINY, changed, text
from postgresql import postgresql
from repository import Repository, ran
from stage_process import Stages

from tools.mlflow_server import free_port, serve

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for seed in range(8):
        finished_run.write("fomaml", seed)
    return tmp_path


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database for a server; nothing for SQLite, which makes its own."""
    with postgresql(free_port()) if request.param == "postgresql" else nullcontext("") as address:
        yield address


@long
def test_a_server_that_is_down_costs_a_repro_nothing_that_was_computed(
    repository: Repository, figure: Callable[[str], None]
) -> None:
    (repository.folder / "params.yaml").write_bytes(text(changed(TINY | {"algorithms": ["maml"], "seeds": [43]})))
    failed = repository.run("dvc", "repro", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{free_port()}")
    assert failed.returncode and (failed.stdout + failed.stderr).count("error: MLflow at http://127.0.0.1:") == 1
    made = ("models/maml-43/*", "results/maml-43.json", "scores/maml-43.npz")
    kept = repository.bytes(*made)
    assert len(kept) == 6
    assert ran(repository.dvc("repro")) == {"track@maml-43", "report"}
    assert repository.bytes(*made) == kept
    assert repository.published() == ["MAML · seed 43"]
    figure(f"{len(kept)} files of a training and its evaluation kept; the next repro ran `track` and `report` alone")


@long
def test_a_server_takes_each_run_once_from_eight_publishers_and_after_it_was_down(
    store: str, workspace: Path, stages: Stages, tmp_path_factory: pytest.TempPathFactory, figure: Callable[[str], None]
) -> None:
    folder, port = tmp_path_factory.mktemp("server"), free_port()
    address = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{port}"}
    started = time.monotonic()
    ended = stages.run(workspace, "track fomaml --seed 0", environment=address)
    assert ended.code == 1 and ended.output.count("\n") == 1
    assert ended.output.startswith("error: MLflow at http://127.0.0.1")
    refused = time.monotonic() - started
    with serve(folder, port, store=store):
        lines = [f"track fomaml --seed {seed}" for seed in range(8)]
        assert stages.together(workspace, lines, address) == [0] * 8
        assert stages.run(workspace, lines[0], environment=address).code == 0
        mlflow = MlflowClient(address["MLFLOW_TRACKING_URI"])
        runs = mlflow.search_runs(["1"])
        assert sorted(run.info.run_name or "" for run in runs) == [f"FOMAML · seed {seed}" for seed in range(8)]
        assert {run.info.status for run in runs} == {"FINISHED"}
        assert len(mlflow.get_metric_history(runs[0].info.run_id, "train_loss")) == 3
        assert {file.path for file in mlflow.list_artifacts(runs[0].info.run_id)} == {
            "accuracy_by_step.png",
            "learning_curve.png",
        }
    assert not (workspace / "mlflow.db").exists() and not (workspace / "mlartifacts").exists()
    figure(f"down: one line after {refused:.0f} s; up: 8 publishers at once, one of them twice, 8 runs")


def test_a_database_of_postgresql_itself_takes_each_run_once(
    workspace: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    with postgresql(free_port()) as address:
        for _ in range(2):
            ended = stages.run(workspace, "track fomaml --seed 3", environment={"MLFLOW_TRACKING_URI": address})
            assert ended.code == 0, ended.output
        runs = MlflowClient(address).search_runs(["1"])
        assert [run.info.run_name for run in runs] == ["FOMAML · seed 3"]
    ended = stages.run(workspace, "track fomaml --seed 3", environment={"MLFLOW_TRACKING_URI": address})
    assert ended.code == 1 and ended.output.startswith("error: postgresql://") and ended.output.count("\n") == 1
    figure("published twice, one run; stopped, one line")
