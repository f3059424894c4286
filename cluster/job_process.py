"""The processes of one job: DVC and its stages in the job's workspace, under a guard that stops them with a worker."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cluster import stop_with_parent, workspace
from cluster.plan import Job
from metaglot.core.common.errors import UserError

Process = subprocess.Popen[bytes]
ITERATION = re.compile(r"iteration (\d+)")
POLL = 1.0  # seconds


class WorkerKilled(Exception):
    """A signal from outside ended a job; it can be tried again."""


def start(
    folder: Path, job: Job, commit: bytes, inputs: bytes, log: Path, checkpoints: Path, threads: int | None
) -> Process:
    """Begin to compute a job in a new workspace; its output goes to its log, and the log of a try before is kept."""
    workspace.prepare(folder, commit, inputs, job)
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_suffix(".before"))
    repro = [sys.executable, "-m", "dvc", "repro", "--single-item", *job.stages]
    command = [sys.executable, "-P", stop_with_parent.__file__, *repro]
    with log.open("wb") as file:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment(threads, checkpoints),
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )


def environment(threads: int | None, checkpoints: Path) -> dict[str, str]:
    """The environment of a job: this interpreter, the number of threads, the folder of its checkpoints."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    variables |= {"DVC_NO_ANALYTICS": "1", "METAGLOT_CHECKPOINTS": str(checkpoints.resolve())}
    variables["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), variables.get("PATH", os.defpath)])
    return variables | ({"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)} if threads else {})


def wait_for_results(process: Process, folder: Path, log: Path, on_poll: Callable[[], object] = lambda: None) -> bytes:
    """The results of a job; `on_poll` is called every second."""
    try:
        while process.poll() is None:
            time.sleep(POLL)
            on_poll()
    finally:
        stop(process)
    raise_if_killed_or_failed(process, log)
    return workspace.pack_results(folder)


def request_stop(process: Process) -> None:
    """Have the guard stop a job; a training saves a checkpoint first."""
    if process.stdin:
        with suppress(OSError):
            process.stdin.close()


def stop(process: Process) -> None:
    """End a job and all that it started."""
    request_stop(process)
    with suppress(subprocess.TimeoutExpired):
        process.wait(stop_with_parent.PATIENCE + 5)
    with suppress(ProcessLookupError):  # a guard that was killed leaves its group behind
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def raise_if_killed_or_failed(process: Process, log: Path) -> None:
    """Raise WorkerKilled if a signal ended a job or its stage, and UserError with its last line if it failed."""
    said = log.read_text(errors="replace")
    if process.returncode < 0 or "exited with -" in said:
        raise WorkerKilled(f"a signal ended it ({log})")
    if process.returncode:
        raise UserError(last_error(said))


def last_error(said: str) -> str:
    """The last line of an output that says what went wrong."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or ["it printed nothing"])[-1].removeprefix("error: ")


def last_iteration(log: Path) -> int:
    """The last iteration that a job's log names."""
    iterations = ITERATION.findall(log.read_text(errors="replace")) if log.exists() else []
    return int(iterations[-1]) if iterations else 0
