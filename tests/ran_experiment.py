"""Folders where experiments were run that never were: the files of a finished pipeline, with their dvc.lock."""

import hashlib
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
import yaml
from finished_pipeline import Pipeline
from params_file import ASGIVEN

from experiments import declared
from experiments.declared import find_settings
from metaglot.core.common.atomic_files import write_yaml
from stages.support import paths
from tools.params_file import apply_settings


def ran(folder: Path, name: str, changes: dict[str, Any] | None = None, **options: Any) -> Path:
    """Leave in a folder what running an experiment leaves, with other params if asked."""
    params = apply_settings(find_settings(name) | (changes or {}), ASGIVEN)
    task = {key: params["task"][key] for key in ("ways", "shots", "queries", "rotations")}
    known = {"seeds": params["seeds"], "iterations": params["train"]["iterations"], "task": task, "tests": 40}
    known |= {"train": params["train"], "kind": params["split"]["kind"], "model": params["model"]}
    known |= {"adaptation_steps": params["evaluate"]["adaptation_steps"]}
    skills = {algorithm: 0.97 - place / 100 for place, algorithm in enumerate(params["algorithms"])}
    folder.mkdir()
    with chdir(folder):
        Pipeline(**{"skills": skills} | known | options).write()
        lock([(algorithm, seed) for algorithm in params["algorithms"] for seed in params["seeds"]], params)
    return folder


def declare(experiments: dict[str, Any], folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Have these experiments declared, and no others."""
    (folder / "experiments.yaml").write_text(yaml.safe_dump(experiments, sort_keys=False))
    patch.setattr(declared, "TABLE", folder / "experiments.yaml")


def lock(runs: list[tuple[str, int]], params: dict[str, Any]) -> None:
    """Write dvc.lock as DVC does once these runs are trained and evaluated."""
    write_yaml(Path("params.yaml"), params)
    stages: dict[str, Any] = {"configure": {"deps": _hashed(Path("params.yaml"))}}
    for run in runs:
        trained = _hashed(paths.run_record(*run), paths.history(*run), paths.alignment(*run))
        scored = _hashed(paths.result(*run), paths.scores(*run))
        stages[f"train@{run[0]}-{run[1]}"] = {"deps": [], "outs": trained}
        stages[f"evaluate@{run[0]}-{run[1]}"] = {"deps": trained[:1], "outs": scored}
    write_yaml(Path("dvc.lock"), {"schema": "2.0", "stages": stages})


def _hashed(*files: Path) -> list[dict[str, str]]:
    return [{"path": str(file), "md5": hashlib.md5(file.read_bytes()).hexdigest()} for file in files]
