"""Run an experiment in a clone of the committed project, under .metaglot/, with the project's own cache."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

from experiments.declared import PARAMS, applied, find
from metaglot.core.common.errors import UserError

CLONES = Path(".metaglot/findings")
ELSEWHERE = {"DVC_ROOT", "GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "MLFLOW_TRACKING_URI"}


def run(name: str, clones: Path = CLONES) -> Path:
    """Run the pipeline with an experiment's params; returns the clone.

    A clone of the same commit is gone on with; what another clone, or the project, has computed is in the cache.
    """
    experiment, folder = find(name), clones / name
    if not folder.exists() or git(folder, "rev-parse", "HEAD") != git(Path(), "rev-parse", "HEAD"):
        shutil.rmtree(folder, ignore_errors=True)
        git(Path(), "clone", "-q", ".", str(folder))
        (folder / ".dvc/config.local").write_text(f"[cache]\n    dir = {Path('.dvc/cache').resolve()}\n")
    git(folder, "checkout", "-q", "--", str(PARAMS))
    yaml = YAML()
    yaml.width = 120
    params = yaml.load(folder / PARAMS)
    yaml.dump(applied(experiment.settings, params), folder / PARAMS)
    must(folder, "stages.configure", "--check")
    must(folder, "dvc", "repro")
    return folder


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"git {arguments[0]}: {done.stderr.strip().splitlines()[-1]}")
    return done.stdout


def must(folder: Path, module: str, *arguments: str) -> None:
    """Run a module there; where it fails it has said why."""
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])  # DVC's stages say `python`
    if code := subprocess.run([sys.executable, "-m", module, *arguments], cwd=folder, env=kept).returncode:
        sys.exit(code)
