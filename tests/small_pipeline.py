"""A DVC pipeline in a moment: a run's stages are those of dvc.yaml by name, but each only copies a file."""

from pathlib import Path

import yaml
from repository import Repository

STAGES = {
    "train": ("train.yaml", "weights"),
    "evaluate": ("weights", "result"),
    "track": ("result", None),
}


def make(folder: Path, *seeds: int) -> None:
    """Write the pipeline of MAML from these seeds; nothing has run."""
    repository = Repository.at(folder)
    repository.git("init", "-q")
    repository.dvc("init", "-q")
    for seed in seeds:
        configure(folder, seed, "10 iterations")
    runs = {"algorithm": ["maml"], "seed": list(seeds)}
    stages = {name: stage(*files) | {"matrix": runs} for name, files in STAGES.items()}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}, sort_keys=False))
    repository.commit("Begin")


def stage(source: str, target: str | None) -> dict[str, object]:
    run = "${item.algorithm}-${item.seed}"
    if target is None:
        return {"cmd": "true", "deps": [f"{run}/{source}"]}
    return {"cmd": f"cp {run}/{source} {run}/{target}", "deps": [f"{run}/{source}"], "outs": [f"{run}/{target}"]}


def configure(folder: Path, seed: int, setting: str) -> None:
    """Set what a run's training depends on."""
    (folder / f"maml-{seed}").mkdir(exist_ok=True)
    (folder / f"maml-{seed}" / "train.yaml").write_text(setting)
