"""Read a folder's dvc.lock: its params, and whether its files are the outputs of finished stages."""

import hashlib
import json
import subprocess
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

from metaglot.config.yaml12 import read_yaml12
from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError
from tools.params_file import PARAMS

LOCK = "dvc.lock"
CODE = ("metaglot", "stages", "dvc.yaml")
Stages = dict[str, dict[str, Any]]


def locked_stages(folder: Path) -> Stages:
    """The finished stages by name, with the hashes of their dependencies and outputs."""
    content = read_yaml(folder / LOCK)
    if not isinstance(content, dict) or "stages" not in content:
        raise UserError(f"{folder / LOCK} is not a lock file of DVC: run `dvc repro` there")
    return content["stages"]


def locked_params(folder: Path) -> dict[str, Any]:
    """The params of the folder's last `configure`. Raises UserError if its params.yaml has changed since."""
    configured = locked_stages(folder).get("configure")
    if configured is None:
        raise UserError(f"{folder} was never configured: run `dvc repro` there")
    (locked,) = (dep["md5"] for dep in configured["deps"] if dep["path"] == "params.yaml")
    if _md5(folder / PARAMS) != locked:
        raise UserError(f"{folder / PARAMS} has changed since it was run: run `dvc repro` there")
    params: dict[str, Any] = read_yaml12(folder / PARAMS)
    return params


class FinishedStages:
    """The stages that ran with a folder's current files and code; each file is hashed once.

    A new clone contains the committed results until its own stages replace them.
    """

    def __init__(self, folder: Path):
        self._locked = locked_stages(folder)
        self._hash = cache(lambda path: _md5(folder / path))

    def include(self, run: str, stages: tuple[str, ...] = ("train", "evaluate")) -> bool:
        """Whether these stages of a run, such as `maml-42`, are among them."""
        steps = [self._locked.get(f"{stage}@{run}") for stage in stages]
        return all(step is not None and self._is_unchanged(step) for step in steps)

    def _is_unchanged(self, stage: dict[str, Any]) -> bool:
        return all(self._hash(file["path"]) == file["md5"] for file in [*stage["deps"], *stage["outs"]])


def _md5(path: Path) -> str | None:
    """DVC's hash of a file or a folder; None if it is not there."""
    if not path.exists():
        return None
    if path.is_dir():
        files = [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        entries = [{"md5": _md5(file), "relpath": file.relative_to(path).as_posix()} for file in files]
        entries.sort(key=itemgetter("relpath"))
        return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def commit_of_code(folder: Path) -> str | None:
    """The newest commit in the folder that this project has too, or None if the folder's code differs from it.

    Commits that only change params.yaml do not count.
    """
    for commit in _git(folder, "rev-list", "HEAD").split():
        if _git(Path(), "rev-parse", "-q", "--verify", f"{commit}^{{commit}}"):
            changed = _git(folder, "diff", "--name-only", commit, "--", *CODE)
            added = _git(folder, "ls-files", "--others", "--exclude-standard", "--", *CODE)
            return None if changed or added else commit
    return None


def _git(folder: Path, *arguments: str) -> str:
    """The output of git, or nothing if it fails."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""
