"""Runs on the cores of this machine: each in its own workspace, so many at a time."""

import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

from cluster import job_process, workspace
from cluster.bring_home import bring_home
from cluster.job_process import Process, WorkerKilled
from cluster.plan import Job, iterations
from cluster.progress import Progress
from metaglot.core.common.errors import UserError
from metaglot.core.common.usable_cores import usable_cores

FOLDER = Path(".metaglot/workers")
CHECKPOINTS = Path(".metaglot/checkpoints")
TRIES = 4  # the first, and three after a worker was killed
POLL = 0.2  # seconds


def run_locally(jobs: list[Job], workers: int) -> dict[str, str]:
    """Compute jobs on so many workers; returns why each failed job did, by name. Ctrl-C stops all of them."""
    with Progress(jobs, iterations(jobs)) as progress:
        pool = LocalWorkers(progress, workspace.pack_commit(), list(jobs))
        try:
            while pool.waiting or pool.running:
                while pool.waiting and len(pool.running) < workers:
                    pool.start(pool.waiting.pop(0))
                time.sleep(POLL)
                pool.look()
        finally:
            pool.stop()
    return pool.failed


@dataclass
class LocalWorkers:
    """The jobs that wait, run and failed."""

    progress: Progress
    commit: bytes
    waiting: list[Job]
    running: dict[Job, Process] = field(default_factory=dict)
    tries: dict[Job, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def start(self, job: Job) -> None:
        tries = self.tries[job] = self.tries.get(job, 0) + 1
        inputs = workspace.pack_inputs(job)
        self.running[job] = job_process.start(FOLDER / job.name, job, self.commit, inputs, log(job), CHECKPOINTS, 1)
        self.progress.say(job.name, "running", "here", f"try {tries}" if tries > 1 else "")

    def look(self) -> None:
        """End the jobs whose process ended, and show how far the others are."""
        for job, process in list(self.running.items()):
            if process.poll() is not None:
                self.end(job, self.running.pop(job))
            else:
                self.progress.see(job.name, job_process.last_iteration(log(job)))
        self.progress.refresh()

    def end(self, job: Job, process: Process) -> None:
        try:
            bring_home(job_process.wait_for_results(process, FOLDER / job.name, log(job)))
            self.progress.say(job.name, "done")
        except WorkerKilled as reason:
            if self.tries[job] < TRIES:
                self.waiting.insert(0, job)
            else:
                self.fail(job, f"{reason}, {TRIES} times")
        except UserError as reason:
            self.fail(job, str(reason))
        shutil.rmtree(FOLDER / job.name, ignore_errors=True)

    def fail(self, job: Job, reason: str) -> None:
        self.failed[job.name] = reason
        self.progress.say(job.name, "failed", detail=reason)

    def stop(self) -> None:
        for process in self.running.values():
            job_process.request_stop(process)
        for process in self.running.values():
            job_process.stop(process)


def log(job: Job) -> Path:
    return FOLDER / "logs" / f"{job.name}.log"


def count(workers: str) -> int:
    """`auto` is one worker a core."""
    if workers == "auto":
        return usable_cores()
    if not workers.isdecimal() or not int(workers):
        raise UserError(f"workers: got {workers!r}; takes auto, or a number from 1")
    return int(workers)
