"""What a Ray worker does: compute one job in a temporary workspace, and send its checkpoints home."""

import shutil
import socket
import tempfile
from pathlib import Path
from typing import Any

import ray

from cluster import home, job_process
from cluster.node_versions import check_versions, versions
from cluster.plan import Job
from metaglot.core.common.errors import UserError


def compute(job: Job, commit: bytes, inputs: bytes, at_home: Any, threads: int | None, needed: dict[str, str]) -> bytes:
    """The results of a job. Raises WorkerKilled where another try may end well, and UserError where none can."""
    check_versions(socket.gethostname(), needed, versions())
    folder = Path(tempfile.mkdtemp(prefix=f"metaglot-{job.name}-"))
    try:
        return compute_in(folder, job, commit, inputs, at_home, threads)
    except OSError as error:
        raise UserError(f"node {socket.gethostname()}: {error}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def compute_in(folder: Path, job: Job, commit: bytes, inputs: bytes, at_home: Any, threads: int | None) -> bytes:
    reporter = Reporter(job, at_home, folder / "log", folder / "checkpoints")
    home.save(reporter.checkpoints, ray.get(at_home.load.remote(job.name)))
    place = folder / "workspace"
    process = job_process.start(place, job, commit, inputs, reporter.log, reporter.checkpoints, threads)
    try:
        return job_process.wait_for_results(process, place, reporter.log, reporter.report)
    finally:
        ray.get(reporter.report())  # also what a training saved when it was stopped


class Reporter:
    """Sends home how far a job is, and each checkpoint once."""

    def __init__(self, job: Job, at_home: Any, log: Path, checkpoints: Path) -> None:
        self.job, self.at_home, self.log, self.checkpoints = job, at_home, log, checkpoints
        self.sent: home.Checkpoints = {}

    def report(self) -> Any:
        checkpoints = home.load(self.checkpoints, self.job.name)
        new = {name: content for name, content in checkpoints.items() if self.sent.get(name) != content}
        self.sent = checkpoints
        iteration = job_process.last_iteration(self.log)
        return self.at_home.report.remote(self.job.name, socket.gethostname(), iteration, new)
