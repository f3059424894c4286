"""Stages as processes of their own, as DVC runs them, that a test may kill; what each one writes."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from itertools import count
from multiprocessing import get_context
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from draws import LONG
from params_file import ROOT

from metaglot.datasets.omniglot_layout import BACKGROUND, EVALUATION, OmniglotLayout
from metaglot.tracking.mlflow_environment import DEFAULTS, SET

# What each line of the pipeline writes, for one algorithm and seed.
PIPELINE = {
    "configure": ["data/config"],
    "download": ["data/raw"],
    "preprocess": ["data/splits"],
    "train maml": ["data/models"],
    "evaluate maml": ["data/results", "data/scores"],
    "track maml": ["mlflow.db", "mlartifacts"],
    "report": ["data/report"],
}
MODULES = [f"stages.{name.split()[0]}" for name in PIPELINE] + ["mlflow.store.tracking.sqlalchemy_store"]
NOTHING: Mapping[str, str] = {}


class Ended(NamedTuple):
    """What a stage left: its exit code (-9 if it was killed), what it said, and the seconds it ran."""

    code: int
    output: str
    seconds: float


def enter(folder: Path, line: str, log: Path, environment: dict[str, str]) -> None:
    """Run a stage's own command line in `folder`, as the leader of a group of processes."""
    os.setsid()
    os.environ.update(environment)
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    os.chdir(folder)
    if not LONG:  # a twentieth of the glyphs, in a twentieth of the time
        few = {"characters": 50, "alphabets": 10, "images": 1000}
        OmniglotLayout.parts = replace(BACKGROUND, **few), replace(EVALUATION, **few)
    name, *arguments = line.split()
    sys.argv = [f"stages/{name}.py", *arguments]
    stage: Any = import_module(f"stages.{name}")
    stage.run_command(stage.main)


class Stages(AbstractContextManager["Stages"]):
    """Starts stages from a process that has imported all of them."""

    def __init__(self) -> None:
        self.context = get_context("forkserver")
        self.context.set_forkserver_preload([*MODULES, "stage_process"])
        self.numbers = count()
        self.logs = tempfile.TemporaryDirectory()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT), str(ROOT / "tests")]))
            for name in ("DVC_ROOT", "DVC_EXP_NAME", "MLFLOW_TRACKING_URI"):
                patch.delenv(name, raising=False)
            for name, value in (SET | DEFAULTS).items():  # as `track` does before it imports mlflow
                patch.setenv(name, value)
            ensure_running()

    def __exit__(self, *_: object) -> None:
        self.logs.cleanup()

    def start(self, folder: Path, line: str, environment: Mapping[str, str] = NOTHING) -> tuple[Any, Path]:
        """Start a stage; its process, and where what it says is logged."""
        log = Path(self.logs.name) / f"{next(self.numbers)}"
        worker = self.context.Process(target=enter, args=(folder, line, log, dict(environment)))
        worker.start()
        return worker, log

    def run(
        self, folder: Path, line: str, kill_after: float | None = None, environment: Mapping[str, str] = NOTHING
    ) -> Ended:
        """Run a stage to its end, or kill its whole group after so many seconds."""
        start = time.monotonic()
        worker, log = self.start(folder, line, environment)
        worker.join(kill_after)
        if worker.is_alive():
            self._kill(worker)
        return Ended(worker.exitcode, log.read_text() if log.exists() else "", time.monotonic() - start)

    def together(self, folder: Path, lines: Iterable[str], environment: Mapping[str, str] = NOTHING) -> list[int]:
        """Run several at once; their exit codes."""
        workers = [self.start(folder, line, environment)[0] for line in lines]
        for worker in workers:
            worker.join()
        return [worker.exitcode for worker in workers]

    def _kill(self, worker: Any) -> None:
        try:
            os.killpg(worker.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not come to be a group
            worker.kill()
        worker.join()

    def succeed(self, folder: Path, line: str) -> Ended:
        ended = self.run(folder, line)
        assert ended.code == 0, f"{line}: {ended.output}"
        return ended


def contents(folder: Path, line: str) -> dict[str, bytes]:
    """The bytes of what a stage wrote, by path, without partial files and what `evaluate` adds to a model's folder."""
    files = [path for part in PIPELINE[line] for path in (folder / part).rglob("*") if path.is_file()]
    written = [path for path in files if not path.name.endswith(".partial") and path.name != "adaptation.json"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in written}
