"""The same seed, the same bytes: in the workspace, in a fresh clone, in a temporary copy; after a resumption too.

That resumed trainings end in the same bytes is shown where they are killed. Another number of threads adds up in
another order: how far that leads is counted here.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from draws import long
from params_file import TINY, changed, text
from repository import Repository
from safetensors.torch import load_file
from stage_process import Stages

from metaglot.core.common.atomic_files import read_json

pytestmark = pytest.mark.slow

TIMED = re.compile(r"data/(report/|models/.*/(run\.json|history\.csv)$)")
ONE = ("train@maml-42", "evaluate@maml-42")


def untimed(locked: dict[str, str]) -> dict[str, str]:
    """The hashes of all outputs that hold no times."""
    return {path: md5 for path, md5 in locked.items() if not TIMED.match(path)}


def cloned(repository: Repository, folder: Path) -> Repository:
    """A fresh clone, which has nothing of DVC's cache."""
    repository.git("clone", "-q", ".", str(folder))
    return Repository.at(folder)


def test_a_temporary_copy_of_a_fresh_clone_computes_the_same_bytes(repository: Repository, tmp_path: Path) -> None:
    clone = cloned(repository, tmp_path / "clone")
    shutil.copytree(repository.folder / ".dvc/cache", clone.folder / ".dvc/cache")
    clone.dvc("checkout")
    output = clone.dvc("exp", "run", "--temp", "--name", "again", "--force", "--single-item", *ONE)
    assert output.count("> python -m stages.") == len(ONE)
    hashes = untimed(clone.locked("again"))
    assert hashes == untimed(repository.locked()) and "data/models/maml-42/weights.safetensors" in hashes


@long
def test_a_fresh_clone_and_its_temporary_copies_compute_everything_to_the_same_bytes(
    repository: Repository, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    clone, expected = cloned(repository, tmp_path / "clone"), untimed(repository.locked())
    output = clone.dvc("repro", "--force")
    clone.commit("Run everything again")
    assert output.count("> python -m stages.") == 7 and untimed(clone.locked()) == expected
    shutil.rmtree(clone.folder / ".dvc/cache/runs")
    output = clone.dvc("exp", "run", "--temp", "--name", "again", "--force")
    assert output.count("> python -m stages.") == 7 and untimed(clone.locked("again")) == expected
    figure(f"{len(expected)} outputs, the same in the workspace, in a fresh clone and in a temporary copy of that")


@pytest.fixture
def by_threads(undisturbed: Path, stages: Stages, tmp_path: Path) -> dict[int, Path]:
    """Where the same training ran on one thread, and on two."""
    folders = {}
    for threads in (1, 2):
        folders[threads] = shutil.copytree(undisturbed, tmp_path / f"{threads}")
        changes = {"algorithms": ["maml"], "run.threads": threads, "train.iterations": 200, "evaluate.tasks": 500}
        (folders[threads] / "params.yaml").write_bytes(text(changed(TINY | changes)))
        for line in ("configure", "train maml", "evaluate maml"):
            stages.succeed(folders[threads], line)
    return folders


@long
def test_another_number_of_threads_gives_another_network_of_the_same_quality(
    by_threads: dict[int, Path], figure: Callable[[str], None]
) -> None:
    files = (folder / "data/models/maml-42/weights.safetensors" for folder in by_threads.values())
    one_thread, two_threads = map(load_file, files)
    floats = [name for name, value in one_thread.items() if value.is_floating_point()]
    apart = max((one_thread[name] - two_threads[name]).abs().max().item() for name in floats)
    first, second = (read_json(folder / "data/results/maml-42.json") for folder in by_threads.values())
    low, high = first["accuracy"]["ci95_by_character"]
    assert low <= second["accuracy"]["mean"] <= high
    moved = torch.stack([value.abs().max() for value in one_thread.values() if value.is_floating_point()]).max().item()
    figure(
        f"200 iterations on 1 and on 2 threads: weights of up to {moved:.2f} at most {apart:.1e} apart, accuracies of "
        f"{first['accuracy']['mean']:.4f} and {second['accuracy']['mean']:.4f}"
    )
