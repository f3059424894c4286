"""Twelve short real trainings by two workers, against `dvc repro`, one after the other on both cores."""

import subprocess
import time
from pathlib import Path

from benchmarks.fake_runs import GIT, run_module
from benchmarks.tables import Table
from tools.params_file import PARAMS, change_params

ALGORITHMS, SEEDS = ["maml", "fomaml"], list(range(6))
SETTINGS = {"algorithms": ALGORITHMS, "seeds": SEEDS, "train.iterations": 1000, "evaluate.tasks": 1000}
HEADER = ("try", "one after the other, s", "two workers, s", "ratio")


def table(scratch: Path, repeats: int) -> Table:
    note = "1,000 iterations of the default task, MAML and FOMAML from six seeds, up to and without the report."
    return Table("Two workers", note, HEADER, [measure(scratch / str(number), number) for number in range(repeats)])


def measure(scratch: Path, number: int) -> list[str]:
    workspaces = [make_workspace(scratch / name) for name in ("alone", "together")]
    stages = [f"{stage}@{run}-{seed}" for run in ALGORITHMS for seed in SEEDS for stage in ("evaluate", "track")]
    alone = seconds(workspaces[0], "dvc", "repro", "-q", *stages)
    together = seconds(workspaces[1], "cluster", "run", "--workers", "2")
    return [str(number + 1), f"{alone:.0f}", f"{together:.0f}", f"{alone / together:.2f}"]


def make_workspace(folder: Path) -> Path:
    """A clone of the commit with its data, and nothing trained."""
    subprocess.run([*GIT, "clone", "-q", ".", str(folder)], check=True)
    change_params(folder / PARAMS, SETTINGS)
    run_module(folder, "dvc", "repro", "-q", "preprocess")
    return folder


def seconds(folder: Path, *command: str) -> float:
    start = time.perf_counter()
    run_module(folder, *command)
    return time.perf_counter() - start
