"""Publications, also one that is killed or fails, and what MLflow's database in a folder says of the runs."""

import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path

import finished_run
import pytest
from error_lines import error_line
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run
from shell import run_python

from stages import track

TASK = "omniglot-5way-5shot-fc"
MODEL = f"metaglot-maml-{TASK}"


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Work in a folder with its own database, whatever the environment says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        yield


def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder}/mlflow.db")


def experiment(of: MlflowClient, name: str = TASK) -> Experiment:
    named = of.get_experiment_by_name(name)
    assert named is not None
    return named


def runs(of: MlflowClient, name: str = TASK) -> list[Run]:
    return list(of.search_runs([experiment(of, name).experiment_id]))


def publish_maml(folder: Path) -> Run:
    """Publish MAML's training; the only run that there is afterwards."""
    track.main("maml", 42)
    (run,) = runs(client(folder))
    return run


def change(folder: Path, *statements: str) -> None:
    """Change the database in a folder by statements."""
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        for statement in statements:
            assert database.execute(statement).rowcount, statement


def killed(processes: ForkServerContext, folder: Path, seed: int, seconds: float) -> bool:
    """Publish in a process that is killed after so long, unless it was done before."""
    worker = processes.Process(target=finished_run.publish, args=(folder, "maml", seed))
    worker.start()
    worker.join(seconds)
    worker.kill()
    worker.join()
    return worker.exitcode == -signal.SIGKILL


def refusal() -> str:
    """What the stage says, in one line, when it cannot publish MAML's training."""
    return error_line(lambda: track.main("maml", 42))


def command(folder: Path, *under: str) -> subprocess.CompletedProcess[str]:
    """Publish MAML's training by the stage's command; `under`: a command that runs it."""
    return run_python(folder, "-m", "stages.track", "maml", "--seed", "42", under=under)
