"""What a folder has finished, by its own dvc.lock: which params it ran, and whether a file is what a stage left."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError

LOCK = "dvc.lock"
CODE = ("metaglot", "stages", "dvc.yaml")
Stages = dict[str, dict[str, Any]]


def stages(folder: Path) -> Stages:
    """By name, each stage that was run in the folder: its dependencies and outputs with their hashes."""
    found = read_yaml(folder / LOCK)
    if not isinstance(found, dict) or "stages" not in found:
        raise UserError(f"{folder / LOCK} is no lock file of DVC's: run `dvc repro` there")
    return found["stages"]


def params(folder: Path) -> dict[str, Any]:
    """All of the params.yaml that the folder's configs were made from, which it may no longer hold."""
    configured = stages(folder).get("configure")
    if configured is None:
        raise UserError(f"{folder} was never configured: run `dvc repro` there")
    found: dict[str, Any] = configured["params"]["params.yaml"]
    return found


def is_finished(folder: Path, run: str) -> bool:
    """Whether a run, such as `maml-42`, was trained and then evaluated from the files, and by the code, that lie there.

    A clone has the results of the committed params until its own stages replace them.
    """
    found = stages(folder)
    steps = [found.get(f"{stage}@{run}") for stage in ("train", "evaluate")]
    return all(step is not None and _as_it_left(folder, step) for step in steps)


def _as_it_left(folder: Path, stage: dict[str, Any]) -> bool:
    files = [*stage["deps"], *stage["outs"]]
    return all(_has(folder / one["path"], one["md5"]) for one in files)


def _has(path: Path, md5: str) -> bool:
    return path.is_file() and hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() == md5


def code(folder: Path) -> str | None:
    """The commit of this project whose code lies in the folder: the last one there that is known here.

    None where there is no such commit, or other code. A commit that changes params.yaml alone is no other code.
    """
    for commit in _git(folder, "rev-list", "HEAD").split():
        if _git(Path(), "rev-parse", "-q", "--verify", f"{commit}^{{commit}}"):
            return None if _git(folder, "diff", "--name-only", commit, "--", *CODE) else commit
    return None


def _git(folder: Path, *arguments: str) -> str:
    """What git says, or nothing where it fails."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
