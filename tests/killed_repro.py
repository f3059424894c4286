"""`dvc repro` killed with all that it started, at a chosen kind of moment, and what its training had done by then."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import histories
from repository import Repository

TARGET = "evaluate@maml-42"
MODEL = Path("data/models/maml-42")
CHECKPOINTS = ".metaglot/checkpoints/maml-42-*"
LOG = Path(".dvc/tmp/repro.log")


class Moment(NamedTuple):
    """When to kill: once `begun` holds, and up to `seconds` later; `every`: seconds between checkpoints, 0 for all."""

    begun: Callable[[Path, float], bool]
    seconds: float
    every: float


class Killed(NamedTuple):
    """A run that was killed: its interval between checkpoints, what it had said, its seconds by iteration."""

    every: float
    output: str
    seconds: dict[int, float]


def at_once(folder: Path, now: float) -> bool:
    return True


def saved(folder: Path, now: float) -> bool:
    """Whether there is a checkpoint that is younger than `now`."""
    return any(last.stat().st_mtime > now for last in folder.glob(f"{CHECKPOINTS}/last"))


def writing(folder: Path, now: float) -> bool:
    """Whether a checkpoint is being written; those that were killed left half a file too."""
    return any(half.stat().st_mtime > now for half in folder.glob(f"{CHECKPOINTS}/.last.*.partial"))


MOMENTS = (
    Moment(writing, 0, every=0),
    Moment(saved, 0.5, every=0.3),
    Moment(saved, 0.5, every=0),
    Moment(at_once, 10, every=0.3),
)


def rows(folder: Path) -> list[dict[str, str]]:
    history = folder / MODEL / "history.csv"
    return histories.rows(history) if history.exists() else []


def start(repository: Repository, every: float) -> "subprocess.Popen[bytes]":
    """Start `dvc repro` as the leader of a group of processes."""
    environment = repository.environment(METAGLOT_CHECKPOINT_SECONDS=str(every))
    with (repository.folder / LOG).open("wb") as log:
        return subprocess.Popen(
            ["dvc", "repro", TARGET],
            cwd=repository.folder,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def until(moment: Moment, folder: Path, process: "subprocess.Popen[bytes]", chance: random.Random) -> None:
    now = time.time()
    while not moment.begun(folder, now):
        assert process.poll() is None, (folder / LOG).read_text()
        time.sleep(0.002)
    time.sleep(chance.uniform(0, moment.seconds))


def killed(repository: Repository, moment: Moment, chance: random.Random) -> Killed:
    """Kill a `dvc repro` and all it started."""
    process = start(repository, moment.every)
    until(moment, repository.folder, process, chance)
    os.killpg(process.pid, signal.SIGKILL)
    output = (repository.folder / LOG).read_text()
    assert process.wait() == -signal.SIGKILL, output
    seconds = {int(row["iteration"]): float(row["seconds"]) for row in rows(repository.folder)}
    return Killed(moment.every, output, seconds)


def resumed(output: str) -> int | None:
    """The iteration that a run went on from."""
    match = re.search(r"resuming from iteration (\d+)", output)
    return int(match[1]) if match else None
