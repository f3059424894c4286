"""DVC's queue of experiments, and its workers, one of which may be killed with all that it started."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from repository import Repository

PATIENCE = 600  # seconds


def enqueue(repository: Repository, name: str, *changes: str) -> None:
    """Queue an experiment with these changes of params, or a grid of them, whose names are numbered."""
    settings = [word for change in changes for word in ("-S", change)]
    repository.dvc("exp", "run", "--queue", "--name", name, *settings)


def enqueue_again(repository: Repository, name: str, *changes: str) -> None:
    """Queue one whose worker was killed: DVC takes it for running until it is told otherwise."""
    repository.dvc("queue", "kill", name)
    repository.dvc("queue", "remove", name)
    enqueue(repository, name, *changes)


def start(repository: Repository, workers: int) -> None:
    """Start workers whose trainings save after every iteration."""
    environment = repository.environment(METAGLOT_CHECKPOINT_SECONDS="0")
    command = ["dvc", "queue", "start", "-j", str(workers)]
    subprocess.run(command, cwd=repository.folder, env=environment, stdout=subprocess.DEVNULL, check=True)


def has_saved(process: psutil.Process, folder: Path) -> bool:
    """Whether it is a training for this repository that has saved a checkpoint: it holds the lock beside that."""
    opened = [Path(file.path) for file in process.open_files()]
    locks = [path for path in opened if path.name == "lock" and path.is_relative_to(folder / ".metaglot/checkpoints")]
    return any((lock.parent / "last").exists() for lock in locks)


def trainings(folder: Path) -> Iterator[tuple[int, str]]:
    """The processes that have trained for a while for a repository's experiments, and the experiments' names."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has ended, or is not ours
            name = process.environ().get("DVC_EXP_NAME")
            if name and has_saved(process, folder):
                yield process.pid, name


def kill_a_worker(repository: Repository) -> str:
    """Kill the first worker whose training has saved something, with all it started; its experiment's name."""
    end = time.monotonic() + PATIENCE
    while not (running := list(trainings(repository.folder))):
        assert time.monotonic() < end
        time.sleep(0.005)
    process, name = running[0]
    os.killpg(os.getpgid(process), signal.SIGKILL)
    return name


def statuses(repository: Repository) -> dict[str, str]:
    """What DVC says of each experiment."""
    return dict(re.findall(r"^\w{7} +(\S+) .* (\w+) *$", repository.dvc("queue", "status"), re.MULTILINE))


def until_done(repository: Repository, names: set[str]) -> None:
    """Wait until all of these experiments have succeeded."""
    end = time.monotonic() + PATIENCE
    while not names <= {name for name, status in statuses(repository).items() if status == "Success"}:
        assert time.monotonic() < end and "Failed" not in statuses(repository).values(), statuses(repository)
        time.sleep(3)  # each question takes half a second of a core
