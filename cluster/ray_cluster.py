"""Runs on a Ray cluster that is up already: inputs, checkpoints and results travel through Ray's object store."""

import logging
import os
import platform
import shutil
import socket
import tempfile
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster import workspace
from cluster.bring_home import bring_home
from cluster.plan import Job
from cluster.progress import ITERATION, Progress
from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError
from stages.support import paths

RETRIES = 3  # after a worker or its node died
GPU_SHARE = 0.25  # of a GPU, for one run: a training of the default setting fills a small part of one
POLL = 1.0  # seconds


class Board:
    """Where runs are, and their latest checkpoints; it lives at home and outlives a worker."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[str, str]] = {}
        self.checkpoints: dict[str, bytes] = {}

    def tell(self, run: str, node: str, detail: str, checkpoint: bytes | None) -> None:
        self.seen[run] = node, detail
        if checkpoint is not None:
            self.checkpoints[run] = checkpoint

    def show(self) -> dict[str, tuple[str, str]]:
        return self.seen

    def checkpoint(self, run: str) -> bytes | None:
        return self.checkpoints.get(run)


def compute(job: Job, commit: bytes, inputs: bytes, board: Any, threads: int | None) -> tuple[bool, bytes | str]:
    """Compute a job on a worker; returns its results, or why it failed by its own fault."""
    folder = Path(tempfile.mkdtemp(prefix=f"metaglot-{job.name}-"))
    checkpoints, log = folder / "checkpoints", folder / "log"
    checkpoints.mkdir()
    if (saved := ray.get(board.checkpoint.remote(job.name))) is not None:
        workspace.unpack(saved, checkpoints)
    workspace.prepare(folder / "workspace", commit, inputs, job)
    process = workspace.start(folder / "workspace", job, log, workspace.environment(threads, checkpoints))
    try:
        sent = ""
        while process.poll() is None:
            time.sleep(POLL)
            sent = _tell(job, board, log, checkpoints, sent)
        if process.returncode == 0:
            return True, workspace.pack_results(folder / "workspace")
        if process.returncode < 0 or "exited with -" in log.read_text(errors="replace")[-2000:]:
            os._exit(1)  # its stage was killed: Ray starts the run again, perhaps elsewhere
        return False, workspace.failure(log)
    finally:
        workspace.stop(process)
        shutil.rmtree(folder, ignore_errors=True)


def _tell(job: Job, board: Any, log: Path, checkpoints: Path, sent: str) -> str:
    """Send the last iteration home, and a checkpoint that is new; returns what tells that checkpoint from the next."""
    found = ITERATION.findall(log.read_text(errors="replace"))
    new = repr([(path.name, path.stat().st_mtime_ns) for path in sorted(checkpoints.rglob("last"))])
    content = None
    if new != sent:
        with suppress(OSError):  # it was replaced meanwhile: the next round sends it
            content = workspace.pack(checkpoints, ".")
    board.tell.remote(job.name, socket.gethostname(), f"iteration {found[-1]}" if found else "", content)
    return new if content is not None else sent


def packages() -> dict[str, str]:
    """What must be the same everywhere: it decides the last bits of a result."""
    names = ("torch", "numpy", "learn2learn", "dvc", "ray")
    return {"Python": platform.python_version()} | {name: version(name) for name in names}


def check_nodes() -> None:
    """Refuse a cluster with a node whose Python or packages are not those at home."""
    here = packages()
    for node in ray.nodes():
        if node["Alive"]:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            try:
                found = ray.get(
                    ray.remote(num_cpus=0)(packages).options(scheduling_strategy=there).remote(), timeout=120
                )
            except (RayError, ImportError) as error:
                reason = str(error).strip().splitlines()[-1]
                raise UserError(f"node {node['NodeManagerHostname']} cannot run this project: {reason}") from None
            for name, wanted in here.items():
                if found[name] != wanted:
                    raise UserError(
                        f"node {node['NodeManagerHostname']} has {name} {found[name]}, not {wanted}: install the "
                        "environment of requirements.lock there (`make env`), and start its Ray from it"
                    )


def connect(address: str, source: Path) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
        working_dir = {"working_dir": str(source)}
        ray.init(address, runtime_env=working_dir, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, ValueError, RuntimeError, ConnectionError, RayError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(
            f"no Ray cluster can be reached at {address} ({reason}): start one with `ray start --head`"
        ) from None


def run_on_ray(jobs: list[Job], address: str) -> dict[str, str]:
    """Compute jobs on the cluster; returns why each one that failed did, by name. Ctrl-C stops all of them."""
    commit = workspace.pack_commit()
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as source:
        workspace.unpack(commit, Path(source))
        connect(address, Path(source))
        try:
            check_nodes()
            board, shared = ray.remote(num_cpus=0)(Board).remote(), ray.put(commit)
            waiting = {_submit(job, shared, board): job for job in jobs}
            with Progress(jobs) as progress:
                _collect(waiting, board, progress, failed)
        finally:
            ray.shutdown()
    return failed


def _submit(job: Job, commit: Any, board: Any) -> Any:
    run = read_yaml(paths.train_config(job.algorithm))["run"]
    gpus = GPU_SHARE if ray.cluster_resources().get("GPU") and run["device"] != "cpu" else 0
    threads = 1 if run["threads"] == "auto" else None
    cores = 1 if threads else run["threads"]
    task = ray.remote(num_cpus=cores, num_gpus=gpus, max_retries=RETRIES, max_calls=1)(compute)
    return task.remote(job, commit, workspace.pack_inputs(job), board, threads)


def _collect(waiting: dict[Any, Job], board: Any, progress: Progress, failed: dict[str, str]) -> None:
    try:
        while waiting:
            done, _ = ray.wait(list(waiting), timeout=POLL)
            for reference in done:
                job = waiting.pop(reference)
                try:
                    good, content = ray.get(reference)
                except RayError as error:
                    good, content = False, str(error).strip().splitlines()[0]
                if good:
                    bring_home(content)
                    progress.say(job, "done")
                else:
                    failed[job.name] = content
                    progress.say(job, "failed", detail=content)
            progress.show({job.name for job in waiting.values()}, ray.get(board.show.remote()))
    except KeyboardInterrupt:
        for reference in waiting:
            ray.cancel(reference)
        ray.wait(list(waiting), num_returns=len(waiting), timeout=10)
        raise
