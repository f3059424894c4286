"""A DVC experiment whose runs are computed by workers."""

import re
from pathlib import Path

import pytest
from params_file import changed
from repository import Repository, ran
from worker_cases import PARAMS

pytestmark = pytest.mark.slow
EXPERIMENT = ("python", "-m", "cluster", "exp", "--workers", "2", "-S", "seeds=[7]", "-S", "algorithms=[maml,fomaml]")


def test_workers_compute_an_experiment_and_dvc_takes_its_runs_from_the_cache(workspace: Repository) -> None:
    workspace.commit("dvc.lock of the data")
    params = (workspace.folder / "params.yaml").read_bytes()
    done = workspace.run(*EXPERIMENT)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 runs" in done.stderr
    assert ran(done.stdout) == {"configure", "track@maml-7", "track@fomaml-7", "report"}
    name = re.search(r"Ran experiment\(s\): (\S+)", done.stdout)
    weights = [path for path in workspace.locked(name[1]) if path.endswith("-7/weights.safetensors")]
    assert len(weights) == 2 and len(workspace.published()) == 2
    assert (workspace.folder / "params.yaml").read_bytes() == params and not workspace.status()


def test_a_change_that_is_none_is_one_line(tmp_path: Path) -> None:
    repository = Repository(tmp_path, changed(PARAMS))
    for change, reason in (("seeds[=1", ".*"), ("nokey=1", "Could not override 'nokey'.*")):
        done = repository.run(*EXPERIMENT[:6], "-S", change)
        assert done.returncode == 1 and re.fullmatch(rf"error: -S {re.escape(change)}: {reason}\n", done.stderr)


def test_params_that_are_refused_are_refused_by_their_key(tmp_path: Path) -> None:
    done = Repository(tmp_path, changed(PARAMS)).run(*EXPERIMENT[:6], "-S", "seeds=43")
    assert done.returncode == 1 and "params.yaml: seeds: got 43; takes a list" in done.stderr
