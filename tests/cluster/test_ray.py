"""Two real Ray nodes on this machine: one is killed, has other versions or a full disk."""

import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from draws import often
from params_file import ROOT, changed
from repository import Repository, ran
from small_disk import small_disk
from worker_cases import PARAMS, RUN, assert_same, begin, trainings, wait_for_trainings, wait_until

pytestmark = pytest.mark.slow
pytest.importorskip("ray", reason="Ray is not installed: `make repro RAY=HOST:PORT` installs it")


@contextmanager
def two_nodes(scratch: Path, **second: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Nodes whose jobs have their workspaces in `scratch`; `second`: variables of the second node."""
    scratch.mkdir()
    variables = {"TMPDIR": str(scratch), "RAY_TMPDIR": "/tmp", "METAGLOT_CHECKPOINT_SECONDS": "1"}
    command = [sys.executable, str(ROOT / "tests/ray_nodes.py"), *(f"{name}={value}" for name, value in second.items())]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=os.environ | variables, text=True, **pipes) as nodes:
        yield nodes, nodes.stdout.readline().strip()
        nodes.stdin.close()


def kill_second(nodes: subprocess.Popen[str]) -> None:
    nodes.stdin.write("\n")
    nodes.stdin.flush()
    assert nodes.stdout.readline() == "killed\n"


@pytest.mark.parametrize("attempt", range(often(1, 10)))
def test_a_node_killed_during_trainings_changes_no_byte(
    workspace: Repository, undisturbed: Repository, attempt: int
) -> None:
    scratch = workspace.folder / ".metaglot/nodes"
    scratch.parent.mkdir(exist_ok=True)
    with two_nodes(scratch) as (nodes, address):
        with begin(workspace, "--ray", address) as process:
            wait_for_trainings(scratch, 2)
            time.sleep(random.Random(attempt).uniform(0, 10))
            kill_second(nodes)
            _, output = process.communicate(timeout=500)
        assert process.returncode == 0, output
        wait_until(lambda: not trainings(scratch), 15)
    assert ran(workspace.dvc("repro")) == {"report"}
    assert_same(workspace, undisturbed)


def test_a_node_with_another_version_is_one_line(workspace: Repository, tmp_path: Path) -> None:
    other = tmp_path / ".metaglot/site/numpy-0.0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 0.0.1\n")
    with two_nodes(tmp_path / ".metaglot/nodes", PYTHONPATH=str(other.parent)) as (_, address):
        done = workspace.run(*RUN, "--ray", address)
    assert done.returncode == 1
    assert re.fullmatch(r"error: node \S+ has numpy 0\.0\.1, not [\d.]+: install .*\n", done.stderr)


def test_a_full_disk_on_a_node_is_one_line_and_the_other_node_s_run_is_kept(workspace: Repository) -> None:
    small, nodes = (workspace.folder / ".metaglot" / name for name in ("small", "nodes"))
    with small_disk(small, megabytes=2), two_nodes(nodes, TMPDIR=str(small)) as (_, address):
        done = workspace.run(*RUN, "--ray", address)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert re.fullmatch(r"error: (fo)?maml-42 failed: node \S+: .*No space left on device.*", last)
    assert len(workspace.bytes("models/*/weights.safetensors")) == 1


def test_a_run_goes_to_the_node_that_has_a_gpu(workspace: Repository) -> None:
    """Ray is told of a GPU that is not there. This tests the placement only: the training runs on the CPU."""
    workspace.change(changed(PARAMS | {"algorithms": ["maml"]}))
    first, second = (workspace.folder / ".metaglot" / name for name in ("first", "second"))
    second.mkdir(parents=True)
    with two_nodes(first, TMPDIR=str(second), GPUS="1") as (_, address):
        with begin(workspace, "--ray", address) as process:
            wait_for_trainings(second, 1)
            assert not trainings(first)
            _, output = process.communicate(timeout=400)
        assert process.returncode == 0, output


def test_a_cluster_that_does_not_answer_is_one_line(workspace: Repository) -> None:
    done = workspace.run(*RUN, "--ray", "127.0.0.1:1")
    assert done.returncode == 1
    assert re.fullmatch(r"error: no Ray cluster can be reached at 127\.0\.0\.1:1 \(.*\n", done.stderr)
