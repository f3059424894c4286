"""A clone of the project in which a training and an evaluation only write small files, so that DVC's own cost shows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

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
TINY = {"split": {"train": 40, "validation": 20, "test": 20}, "data": {"source": "glyphs"}}


def make_workspace(folder: Path) -> Path:
    """A clone of the commit with one fake run of MAML, its data made."""
    subprocess.run([*GIT, "clone", "-q", ".", str(folder)], check=True)
    for stage, outputs in OUTPUTS.items():
        (folder / f"stages/{stage}.py").write_text(FAKE % ", ".join(map(repr, outputs)))
    write_params(folder / "params.yaml", {**TINY, "algorithms": ["maml"], "seeds": [0]})
    (folder / "dvc.lock").unlink()
    subprocess.run([*GIT, "commit", "-qam", "Fake runs"], cwd=folder, check=True)
    run_module(folder, "dvc", "repro", "-q", "preprocess")
    return folder


def with_runs(workspace: Path, folder: Path, runs: int) -> Path:
    """A copy of the workspace with so many runs."""
    shutil.copytree(workspace, folder)
    write_params(folder / "params.yaml", {"seeds": list(range(runs))})
    run_module(folder, "dvc", "repro", "-q", "preprocess")
    return folder


def write_params(path: Path, changes: dict[str, object]) -> None:
    yaml = YAML()
    params = yaml.load(path)
    for name, value in changes.items():
        if isinstance(value, dict):
            params[name].update(value)
        else:
            params[name] = value
    yaml.dump(params, path)


def run_module(folder: Path, *arguments: str) -> None:
    """Run a module of the clone with this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
    subprocess.run([sys.executable, "-m", *arguments], cwd=folder, env=environment, check=True, stdout=sys.stderr)
