"""Runs on a Ray cluster that is up already: inputs, checkpoints and results travel through Ray's object store."""

import logging
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO"] = "0"

import ray
from ray.exceptions import RayError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster import workspace
from cluster.bring_home import bring_home
from cluster.home import Home
from cluster.job_process import WorkerKilled
from cluster.local import CHECKPOINTS
from cluster.node_versions import check_versions, versions
from cluster.plan import Job, iterations
from cluster.progress import Progress
from cluster.ray_worker import compute
from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError
from stages.support import paths

RETRIES = 3  # after a worker or its node was killed
GPU_SHARE = 0.25  # of a GPU, for one run: a training of the default setting fills a small part of one
POLL = 1.0  # seconds
STOP = 20.0  # seconds for all runs to save a checkpoint and send it home

Waiting = dict[Any, Job]  # by Ray's reference to the result


def run_on_ray(jobs: list[Job], address: str) -> dict[str, str]:
    """Compute jobs on the cluster; returns why each failed job did, by name. Ctrl-C stops all of them."""
    commit = workspace.pack_commit()
    with tempfile.TemporaryDirectory() as source, Progress(jobs, iterations(jobs)) as progress:
        workspace.unpack(commit, Path(source))
        connect(address, Path(source))
        try:
            check_nodes()
            run = RayRun(progress, start_home(), ray.put(commit))
            return run.collect({run.submit(job): job for job in jobs})
        except RayError as error:
            raise UserError(f"the Ray cluster at {address} is lost: {last_line(error)}") from None
        finally:
            ray.shutdown()


def connect(address: str, source: Path) -> None:
    """Connect to a cluster; workers import this project's code from the commit."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
        code = {"working_dir": str(source)}
        ray.init(address, runtime_env=code, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, OverflowError, ValueError, RuntimeError, RayError) as error:
        raise UserError(
            f"no Ray cluster can be reached at {address} ({last_line(error)[:200]}): start one with `ray start --head`"
        ) from None


def last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[-1]


def on_node(node: str) -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(node, soft=False)


def check_nodes() -> None:
    """Refuse a cluster with a node whose Python or packages are not those at home."""
    for node in filter(lambda node: node["Alive"], ray.nodes()):
        task = ray.remote(num_cpus=0)(versions).options(scheduling_strategy=on_node(node["NodeID"]))
        name = node["NodeManagerHostname"]
        try:
            theirs = ray.get(task.remote(), timeout=120)
        except (RayError, ImportError) as error:
            raise UserError(f"node {name} cannot run this project: {last_line(error)}") from None
        check_versions(name, versions(), theirs)


def start_home() -> Any:
    """The actor that workers report to, on the node where this process runs."""
    node = ray.get_runtime_context().get_node_id()
    return ray.remote(num_cpus=0)(Home).options(scheduling_strategy=on_node(node)).remote(CHECKPOINTS.resolve())


@dataclass
class RayRun:
    """Jobs on a cluster."""

    progress: Progress
    home: Any
    commit: Any

    def submit(self, job: Job) -> Any:
        run = read_yaml(paths.train_config(job.algorithm))["run"]
        threads = 1 if run["threads"] == "auto" else None
        gpus = GPU_SHARE if ray.cluster_resources().get("GPU") and run["device"] != "cpu" else 0
        task = ray.remote(max_retries=RETRIES, retry_exceptions=[WorkerKilled])(compute)
        task = task.options(num_cpus=threads or run["threads"], num_gpus=gpus)
        return task.remote(job, self.commit, workspace.pack_inputs(job), self.home, threads, versions())

    def collect(self, waiting: Waiting) -> dict[str, str]:
        """Bring results home as they come; returns why each failed job did, by name."""
        failed: dict[str, str] = {}
        try:
            while waiting:
                done, _ = ray.wait(list(waiting), timeout=POLL)
                for reference in done:
                    failed |= self.end(reference, waiting.pop(reference))
                self.show({job.name for job in waiting.values()})
        finally:
            stop(waiting)
        return failed

    def end(self, reference: Any, job: Job) -> dict[str, str]:
        """Bring a result home, or tell why there is none."""
        try:
            bring_home(ray.get(reference))
        except (RayError, UserError) as error:
            reason = reason_of(error)
            self.progress.say(job.name, "failed", detail=reason)
            return {job.name: reason}
        for folder in CHECKPOINTS.glob(f"{job.name}-*"):
            shutil.rmtree(folder, ignore_errors=True)
        self.progress.say(job.name, "done")
        return {}

    def show(self, names: set[str]) -> None:
        """Show where runs are, and how far."""
        for name, (node, iteration) in ray.get(self.home.running.remote()).items():
            if name in names:
                if self.progress.lines[name].where != node:
                    self.progress.say(name, "running", node)
                self.progress.see(name, iteration)
        self.progress.refresh()


def reason_of(error: Exception) -> str:
    """Why a run failed, in one line."""
    return last_line(error.cause if isinstance(error, RayTaskError) else error)


def stop(waiting: Waiting) -> None:
    """Cancel runs and wait until they saved their checkpoints."""
    for reference in waiting:
        ray.cancel(reference)
    if waiting:
        ray.wait(list(waiting), num_returns=len(waiting), timeout=STOP)
