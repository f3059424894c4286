"""What MLflow's database in a folder says of the runs that `track` published; and a publication that is killed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import ForkServerContext
from pathlib import Path

import finished_run
import pytest
from mlflow import MlflowClient
from mlflow.entities import Experiment, Run

TASK = "omniglot-5way-5shot-fc"


@contextmanager
def working_in(folder: Path) -> Iterator[None]:
    """Work in a folder with its own database, whatever the environment says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("DVC_ROOT", "MLFLOW_TRACKING_URI"):
            patch.delenv(name, raising=False)
        yield


def client(folder: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{folder}/mlflow.db")


def experiment(of: MlflowClient, name: str = TASK) -> Experiment:
    found = of.get_experiment_by_name(name)
    assert found is not None
    return found


def runs(of: MlflowClient, name: str = TASK) -> list[Run]:
    return list(of.search_runs([experiment(of, name).experiment_id]))


def killed(processes: ForkServerContext, folder: Path, seed: int, seconds: float) -> bool:
    """Publish in a process that is killed after so long, unless it was done before."""
    worker = processes.Process(target=finished_run.publish, args=(folder, "maml", seed))
    worker.start()
    worker.join(seconds)
    worker.kill()
    worker.join()
    return worker.exitcode == -signal.SIGKILL
