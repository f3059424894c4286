"""A clone of the project in which a training and an evaluation only write small files, so that DVC's own cost shows."""

import shutil
import subprocess
import sys
from pathlib import Path

from tools import clone
from tools.params_file import PARAMS, change_params

GIT = ("git", "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
FAKE = """
import sys
from pathlib import Path

run = f"{sys.argv[1]}-{sys.argv[3]}"
for path in (%s):
    file = Path("data") / path.format(run)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{path} of {run}\\n")
"""
OUTPUTS = {
    "train": [f"models/{{}}/{name}" for name in ("weights.safetensors", "run.json", "history.csv", "alignment.csv")],
    "evaluate": ["scores/{}.npz", "models/{}/adaptation.json", "results/{}.json"],
}
TINY = {"split.train": 40, "split.validation": 20, "split.test": 20, "data.source": "glyphs"}


def make_workspace(folder: Path) -> Path:
    """A clone of the commit with one fake run of MAML, its data made."""
    subprocess.run([*GIT, "clone", "-q", ".", str(folder)], check=True)
    for stage, outputs in OUTPUTS.items():
        (folder / f"stages/{stage}.py").write_text(FAKE % ", ".join(map(repr, outputs)))
    change_params(folder / PARAMS, {**TINY, "algorithms": ["maml"], "seeds": [0]})
    (folder / "dvc.lock").unlink()
    subprocess.run([*GIT, "commit", "-qam", "Fake runs"], cwd=folder, check=True)
    run_module(folder, "dvc", "repro", "-q", "preprocess")
    return folder


def with_runs(workspace: Path, folder: Path, runs: int) -> Path:
    """A copy of the workspace with so many runs."""
    shutil.copytree(workspace, folder)
    change_params(folder / PARAMS, {"seeds": list(range(runs))})
    run_module(folder, "dvc", "repro", "-q", "preprocess")
    return folder


def run_module(folder: Path, *arguments: str) -> None:
    """Run a module of the clone; what it prints goes to stderr, because stdout has the tables."""
    clone.run_module(*arguments, folder=folder, output=sys.stderr.fileno()).check_returncode()
