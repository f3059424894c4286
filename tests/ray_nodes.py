"""Two Ray nodes on this machine, each with one core, in a process of their own.

python tests/ray_nodes.py [NAME=VALUE ...]     variables of the second node's environment

With GPUS=1 Ray is told of a GPU on the second node, whether there is one or not.

Prints the address. A line on stdin kills the second node by SIGKILL. End of file stops both.
"""

import os
import sys

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

from ray.cluster_utils import Cluster

MEMORY = 100 * 2**20  # bytes, for objects


def main() -> None:
    head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    variables = dict(argument.split("=", 1) for argument in sys.argv[1:])
    gpus = int(variables.pop("GPUS", "0"))
    second = cluster.add_node(num_cpus=1, num_gpus=gpus, object_store_memory=MEMORY, env_vars=variables)
    cluster.wait_for_nodes()
    print(cluster.address, flush=True)
    if sys.stdin.readline():
        cluster.remove_node(second, allow_graceful=False)
        print("killed", flush=True)
        sys.stdin.read()
    cluster.shutdown()


if __name__ == "__main__":
    main()
