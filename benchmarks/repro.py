"""`dvc repro` in a clone, from preprocessed data: both default trainings with validation, and all later stages."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.omniglot_data import archive_folder
from benchmarks.options import Options
from benchmarks.tables import Table, number
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot_mirrors import MIRROR

PHASES = ("setup_seconds", "train_seconds", "validation_seconds")


def measure(options: Options) -> dict[str, Any]:
    """Run the committed code in a clone with an empty cache, so that every training runs."""
    clone = options.scratch / "repro"
    subprocess.run(["git", "clone", "--quiet", ".", str(clone)], check=True)
    dvc(clone, "repro", "preprocess")
    start = time.time()
    dvc(clone, "repro")
    seconds = time.time() - start
    records = map(read_json, sorted(clone.glob("data/models/*/run.json")))
    rows = [_row(record) for record in records if record["started_at"] >= 1e3 * start]  # the others are committed
    return {"seconds": seconds, "trainings_seconds": sum(row["seconds"] for row in rows), "rows": rows}


def dvc(clone: Path, *arguments: str) -> None:
    """Run DVC in the clone, quietly, with its own MLflow database and the local archives."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DVC_ROOT", "MLFLOW_TRACKING_URI")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    quiet = {"DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    environment = inherited | quiet | {"PATH": path, MIRROR: str(archive_folder().resolve())}
    ended = subprocess.run(["dvc", *arguments], cwd=clone, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise UserError(f"dvc {' '.join(arguments)} failed in a clone: {ended.stderr[-2000:]}")


def _row(record: dict[str, Any]) -> dict[str, Any]:
    copied = ("algorithm", "seed", "iterations_per_second", "peak_memory_mb", *PHASES)
    return {name: record[name] for name in copied} | {"seconds": (record["ended_at"] - record["started_at"]) / 1e3}


def tables(results: dict[str, Any]) -> list[Table]:
    header = ("run", "set-up, s", "training, s", "validation, s", "total, s", "iterations a second", "peak memory, MiB")
    note = (
        f"`dvc repro` in a clone of the commit, with preprocessed data and an empty cache, took "
        f"{results['seconds']:.0f} s, of which the trainings and their validation took "
        f"{results['trainings_seconds']:.0f} s."
    )
    return [Table("The whole comparison", note, header, [_cells(row) for row in results["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    columns = (*PHASES, "seconds", "iterations_per_second", "peak_memory_mb")
    return [f"{row['algorithm']} seed {row['seed']}", *(number(row[name]) for name in columns)]
