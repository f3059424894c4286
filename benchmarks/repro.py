"""`dvc repro` from data in place, in a clone: both default trainings with validation, and all that follows."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.omniglot_data import archives
from benchmarks.options import Setting
from benchmarks.tables import Table, number
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot_mirrors import MIRROR

PHASES = ("setup_seconds", "train_seconds", "validation_seconds")


def measure(setting: Setting) -> dict[str, Any]:
    """The committed code, in a clone whose cache is empty, so that every training is run."""
    clone = setting.scratch / "repro"
    subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
    dvc(clone, "repro", "preprocess")
    start = time.time()
    dvc(clone, "repro")
    seconds = time.time() - start
    records = map(read_json, sorted(clone.glob("data/models/*/run.json")))
    rows = [_row(record) for record in records if record["started_at"] >= 1e3 * start]  # others are from git
    return {"seconds": seconds, "trainings_seconds": sum(row["seconds"] for row in rows), "rows": rows}


def dvc(clone: Path, *arguments: str) -> None:
    """Run DVC there, with its own MLflow database, the archives at hand, and nothing shown."""
    mine = {name: value for name, value in os.environ.items() if name not in ("DVC_ROOT", "MLFLOW_TRACKING_URI")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    environment = mine | quiet | {"PATH": path, MIRROR: str(archives().resolve())}
    ended = subprocess.run(["dvc", *arguments], cwd=clone, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise UserError(f"dvc {' '.join(arguments)} failed in a clone: {ended.stderr[-2000:]}")


def _row(record: dict[str, Any]) -> dict[str, Any]:
    kept = ("algorithm", "seed", "iterations_per_second", "peak_memory_mb", *PHASES)
    return {name: record[name] for name in kept} | {"seconds": (record["ended_at"] - record["started_at"]) / 1e3}


def tables(found: dict[str, Any]) -> list[Table]:
    header = (
        "training",
        "setup, s",
        "training, s",
        "validation, s",
        "in all, s",
        "iterations a second",
        "peak memory, MiB",
    )
    note = (
        "`dvc repro` in a clone of the commit, data in place, caches empty, took "
        f"{found['seconds']:.0f} s; {found['trainings_seconds']:.0f} s of them the trainings and their validation."
    )
    return [Table("The whole comparison", note, header, [_cells(row) for row in found["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    shown = (*PHASES, "seconds", "iterations_per_second", "peak_memory_mb")
    return [f"{row['algorithm']} seed {row['seed']}", *(number(row[name]) for name in shown)]
