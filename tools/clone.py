"""Clone the repository under .metaglot/, and run modules in the clone or in the workspace with this Python."""

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import psutil
from dvc.config import Config

WORKSPACE = Path()

# These variables would lead a run in the clone back to the workspace, or to an MLflow server that others use.
NOT_IN_A_CLONE = {"DVC_ROOT", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "MLFLOW_TRACKING_URI"}


def clone_commit(folder: Path, of: Path = WORKSPACE, commit: str = "") -> None:
    """Clone a repository's last commit, or the given one, unless `folder` is a clone of it already.

    The clone's DVC cache is the repository's in either case, and the raw data comes from there.
    """
    commit, cache = commit or last_commit(of), dvc_cache(of)
    if checked_out(folder) != commit:
        clone(folder, cache, of)
        git("reset", "-q", "--hard", commit, folder=folder)
    set_cache(folder, cache)
    take_data_from_cache(folder)


def clone(folder: Path, cache: Path, of: Path = WORKSPACE) -> None:
    """Clone the last commit into `folder`, in place of what is there; its DVC cache is `cache`."""
    shutil.rmtree(folder, ignore_errors=True)
    git("clone", "-q", str(of), str(folder))
    set_cache(folder, cache)


def dvc_cache(folder: Path = WORKSPACE) -> Path:
    """The DVC cache of a repository: its own, or another one that its config names."""
    return Path(Config(str(folder / ".dvc"))["cache"].get("dir", folder / ".dvc/cache"))


def set_cache(folder: Path, cache: Path) -> None:
    quoted = f"'''{cache.resolve()}'''"  # a path may have what ends a value: a comma, a hash, a quote
    (folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {quoted}\n", encoding="utf-8")


def last_commit(folder: Path = WORKSPACE) -> str:
    return git("rev-parse", "HEAD", folder=folder).strip()


def checked_out(folder: Path) -> str | None:
    """The commit that is checked out in a clone; None if there is no clone, also if a project around it is one."""
    command = ["git", "-C", str(folder), "--git-dir=.git", "rev-parse", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else None


def git(*arguments: str, folder: Path = WORKSPACE) -> str:
    """Run git and return its output; if it fails, exit with its reason in one line."""
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        reason = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        sys.exit(f"error: git {arguments[0]}: {reason[-1]}")
    return done.stdout


def run_module(
    module: str, *arguments: str, folder: Path = WORKSPACE, output: int | None = None
) -> subprocess.CompletedProcess[bytes]:
    removed = NOT_IN_A_CLONE if folder != WORKSPACE else set()
    environment = {name: value for name, value in os.environ.items() if name not in removed}
    path = [str(Path(sys.executable).parent), environment["PATH"]]  # the stages' commands begin with `python`
    environment["PATH"] = os.pathsep.join(path)
    command = [sys.executable, "-m", module, *arguments]
    before = signal.signal(signal.SIGTERM, end_with_descendants)
    try:
        return subprocess.run(command, cwd=folder, env=environment, stdout=output, stderr=output)
    finally:
        signal.signal(signal.SIGTERM, before)


def end_with_descendants(number: int, _: FrameType | None) -> NoReturn:
    """Pass SIGTERM on to all that runs here, so that a training saves a checkpoint and ends."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    sys.exit(128 + number)


def run_or_exit(module: str, *arguments: str, folder: Path = WORKSPACE) -> None:
    """Run a module; if it fails, it has printed why: exit with its code."""
    if code := run_module(module, *arguments, folder=folder).returncode:
        sys.exit(code)


def take_data_from_cache(folder: Path = WORKSPACE) -> None:
    """Data that DVC's cache has is not downloaded again: a persistent output is not taken from there by itself."""
    if (folder / "dvc.lock").exists() and not (folder / "data/raw/source.json").exists():
        run_module("dvc", "checkout", "-q", "download", folder=folder, output=subprocess.DEVNULL)
