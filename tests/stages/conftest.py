import shutil
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import finished_run
import pytest
import torch
from mirror_server import mirror_server as mirror_server
from mirror_server import silent_port as silent_port
from mirrored_omniglot import archives as archives
from mirrored_omniglot import unreachable_official as unreachable_official
from params_file import ROOT
from small_workspace import workspace as training_workspace


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A workspace to train in, and the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    threads = torch.get_num_threads()
    yield training_workspace(tmp_path)
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of this MLflow's schema, made once and copied: the migrations take seconds."""
    from mlflow import MlflowClient

    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture(scope="session")
def processes() -> Iterator[ForkServerContext]:
    """Starts processes that have imported all that `track` needs, so that they publish, or die, at once."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["stages.track", "mlflow.store.tracking.sqlalchemy_store"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))  # what it imports first, it finds without pytest
        ensure_running()
    yield context


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one finished training of MAML, which MLflow has not heard of."""
    for name in ("DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    finished_run.write("maml")
    return tmp_path


@pytest.fixture
def workspace(bare: Path, migrated: Path) -> Path:
    """The same, with a database that is empty."""
    shutil.copy(migrated, bare)
    return bare
