"""Runs on the cores of this machine: each in a workspace of its own, so many at a time."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from cluster import workspace
from cluster.bring_home import bring_home
from cluster.plan import Job
from cluster.progress import Progress
from metaglot.core.common.errors import UserError

FOLDER = Path(".metaglot/workers")
CHECKPOINTS = Path(".metaglot/checkpoints")
TRIES = 4  # the first, and three after a worker was killed
POLL = 0.2  # seconds


def run_locally(jobs: list[Job], workers: int) -> dict[str, str]:
    """Compute jobs on so many workers; returns why each one that failed did, by name. Ctrl-C stops all of them."""
    commit, waiting, tries = workspace.pack_commit(), list(jobs), dict.fromkeys(jobs, 0)
    running: dict[Job, subprocess.Popen[bytes]] = {}
    failed: dict[str, str] = {}
    with Progress(jobs) as progress:
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    job = waiting.pop(0)
                    tries[job] += 1
                    workspace.prepare(FOLDER / job.name, commit, workspace.pack_inputs(job), job)
                    running[job] = workspace.start(
                        FOLDER / job.name, job, log(job), workspace.environment(1, CHECKPOINTS)
                    )
                    progress.say(job, "running", "here", "" if tries[job] == 1 else f"try {tries[job]}")
                time.sleep(POLL)
                for job in [job for job, process in running.items() if process.poll() is not None]:
                    code = running.pop(job).returncode
                    if code == 0:
                        bring_home(workspace.pack_results(FOLDER / job.name))
                        progress.say(job, "done")
                    elif was_killed(code, log(job)) and tries[job] < TRIES:
                        waiting.insert(0, job)
                        continue
                    else:
                        failed[job.name] = workspace.failure(log(job))
                        progress.say(job, "failed", detail=failed[job.name])
                    shutil.rmtree(FOLDER / job.name, ignore_errors=True)
                for job in running:
                    progress.watch(job, log(job))
        finally:
            for process in running.values():
                workspace.stop(process)
    return failed


def log(job: Job) -> Path:
    return FOLDER / "logs" / f"{job.name}.log"


def was_killed(code: int, said: Path) -> bool:
    """Whether a job ended by a signal, or DVC says that its stage did: such a run is tried again."""
    return code < 0 or "exited with -" in said.read_text(errors="replace")[-2000:]


def count(workers: str) -> int:
    """`auto` is one worker a core."""
    if workers == "auto":
        return len(os.sched_getaffinity(0))
    if not workers.isdecimal() or not int(workers):
        raise UserError(f"workers: got {workers!r}; takes auto, or a number from 1")
    return int(workers)
