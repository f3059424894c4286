"""A DVC pipeline in a moment: a run's stages are those of dvc.yaml by name, but each only copies a file."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

STAGES = {
    "train": ("train.yaml", "weights"),
    "evaluate": ("weights", "result"),
    "track": ("result", None),
}


def make(folder: Path, *seeds: int) -> None:
    """Write the pipeline of MAML from these seeds; nothing has run."""
    git(folder, "init", "-q")
    dvc(folder, "init", "-q")
    for seed in seeds:
        configure(folder, seed, "10 iterations")
    runs = {"algorithm": ["maml"], "seed": list(seeds)}
    stages = {name: stage(*files) | {"matrix": runs} for name, files in STAGES.items()}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "Begin")


def stage(source: str, target: str | None) -> dict[str, object]:
    run = "${item.algorithm}-${item.seed}"
    if target is None:
        return {"cmd": "true", "deps": [f"{run}/{source}"]}
    return {"cmd": f"cp {run}/{source} {run}/{target}", "deps": [f"{run}/{source}"], "outs": [f"{run}/{target}"]}


def configure(folder: Path, seed: int, setting: str) -> None:
    """Set what a run's training depends on."""
    (folder / f"maml-{seed}").mkdir(exist_ok=True)
    (folder / f"maml-{seed}" / "train.yaml").write_text(setting)


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


def dvc(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "dvc", *arguments]
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
