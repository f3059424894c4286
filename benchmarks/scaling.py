"""How time and memory of a meta-gradient grow with the meta-batch, the steps, the shots and the ways."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.torch import save_file

from benchmarks.cases import KINDS, Case
from benchmarks.engines import learned
from benchmarks.omniglot_data import MEASURED, in_memory
from benchmarks.options import Setting
from benchmarks.tables import Table, milliseconds, number
from metaglot.algorithms.maml import MAML

AXES: dict[str, list[int]] = {
    "tasks": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    "steps": [1, 2, 3, 5, 7, 10],
    "shots": [1, 2, 5, 10],
    "ways": [2, 5, 10, 20, 50],
}
CONV: dict[str, list[int]] = {"tasks": [1, 32, 128], "steps": [1, 5]}
QUICK: dict[str, list[int]] = {"tasks": [1, 512], "steps": [10]}


def measure(setting: Setting) -> dict[str, Any]:
    repeats, seen, rows = setting.few(2, 5), dict[Case, dict[str, Any]](), []
    for axis, case in cases(setting.quick):
        if case not in seen:
            seen[case] = alone(case, repeats, setting.scratch)
        rows.append({"axis": axis, "value": getattr(case, axis), **case.describe(), **seen[case]})
    return {"rows": rows}


def cases(quick: bool) -> Iterator[tuple[str, Case]]:
    """One thing is varied at a time, from the write-up's case; of conv, less."""
    if quick:
        return (yield from _along(QUICK, Case(MAML)))
    for kind in KINDS:
        yield from _along(AXES, Case(kind))
    yield from _along(CONV, Case(MAML, "conv"))


def _along(axes: dict[str, list[int]], case: Case) -> Iterator[tuple[str, Case]]:
    for axis, values in axes.items():
        varied: list[dict[str, Any]] = [{axis: value} for value in values]
        yield from ((axis, replace(case, **change)) for change in varied)


def alone(case: Case, repeats: int, scratch: Path) -> dict[str, Any]:
    """Measure a case in a fresh process."""
    weights = scratch / f"{case.model}-{case.ways}.safetensors"
    if not weights.exists():
        save_file({name: value.detach() for name, value in learned(case).items()}, weights)
    drawings = scratch / "drawings.npy"
    if not drawings.exists():
        np.save(drawings, in_memory()[:MEASURED])
    sizes = {name: getattr(case, name) for name in ("model", "ways", "shots", "steps", "tasks")}
    files = {"weights": str(weights), "drawings": str(drawings)}
    asked = json.dumps({"algorithm": case.kind.label, "case": sizes, "repeats": repeats, **files})
    command = [sys.executable, "-m", "benchmarks.one_case_process", asked]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def tables(found: dict[str, Any]) -> list[Table]:
    header = ("varied", "model", "algorithm", "ms", "ms a task", "peak memory, MiB", "of it by the meta-gradient")
    note = (
        "A meta-gradient of 32 5-way 5-shot tasks with 1 step, but for the one thing that is varied; each in a process "
        "of its own, whose peak resident memory is shown. More than the engine takes at a time is computed in chunks."
    )
    return [Table("How it grows", note, header, [_cells(row) for row in found["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    each = number(1e3 * row["seconds"]["median"] / row["tasks"])
    memory = [number(row["peak_memory_mb"]), number(row["peak_memory_mb"] - row["before_mb"])]
    return [
        f"{row['value']} {row['axis']}",
        row["model"],
        row["algorithm"],
        milliseconds(row["seconds"]),
        each,
        *memory,
    ]
