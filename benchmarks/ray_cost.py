"""What Ray costs a run: sleeping runs on simulated nodes of this machine."""

import os
import time
from pathlib import Path
from typing import Any

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import psutil
import ray
from ray.cluster_utils import Cluster

from benchmarks.tables import Table
from cluster.home import Home

MEMORY = 100 * 2**20  # bytes of each node, for objects
RESULT = 10_000  # bytes: those of a tiny run
SERVERS = ("gcs_server", "raylet")
HEADER = (
    "nodes",
    "runs",
    "seconds of each",
    "in all, s",
    "without any cost, s",
    "cost a run, ms",
    "memory of the head, MiB",
)


def sleep(run: str, seconds: float, home: Any) -> bytes:
    """A run that reports once, sleeps and has a result."""
    ray.get(home.report.remote(run, "node", 1, {}))
    time.sleep(seconds)
    return bytes(RESULT)


def measure(nodes: int, runs: int, seconds: float) -> list[str]:
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(nodes - 1):
            cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
        cluster.wait_for_nodes()
        ray.init(cluster.address, log_to_driver=False)
        home = ray.remote(num_cpus=0)(Home).remote(Path("/nonexistent"))
        task = ray.remote(num_cpus=1, max_retries=3)(sleep)
        ray.get([task.remote("first", 0.0, home) for _ in range(2 * nodes)])  # starts a worker on each node
        start = time.perf_counter()
        ray.get([task.remote(f"run-{number}", seconds, home) for number in range(runs)])
        took, ideal = time.perf_counter() - start, seconds * -(-runs // nodes)
        cost = 1000 * (took - ideal) / runs
        return [str(nodes), str(runs), f"{seconds:g}", f"{took:.1f}", f"{ideal:.1f}", f"{cost:.0f}", f"{memory():.0f}"]
    finally:
        ray.shutdown()
        cluster.shutdown()


def memory() -> float:
    """MiB of this process, and of the head's server and first node."""
    this = psutil.Process()
    started = this.children(recursive=True)
    servers = [next((process for process in started if process.name() == name), None) for name in SERVERS]
    return sum(process.memory_info().rss for process in (this, *servers) if process) / 2**20


def table(cases: list[tuple[int, int, float]]) -> Table:
    note = "Sleeping runs. All nodes are on this machine, so the cost includes what its cores did for every node."
    return Table("Ray", note, HEADER, [measure(*case) for case in cases])
