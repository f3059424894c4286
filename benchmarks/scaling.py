"""How time and memory of a meta-gradient grow with the meta-batch, the steps, the shots and the ways."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import BOTH_ORDERS, Case
from benchmarks.omniglot_data import SAMPLE_CHARACTERS, load_drawings
from benchmarks.options import Options
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


def measure(options: Options) -> dict[str, Any]:
    repeats, measured, rows = options.choose(2, 5), dict[Case, dict[str, Any]](), []
    for axis, case in cases(options.quick):
        if case not in measured:
            measured[case] = measure_in_process(case, repeats, options.scratch)
        rows.append({"axis": axis, "value": getattr(case, axis), **case.describe(), **measured[case]})
    return {"rows": rows}


def cases(quick: bool) -> Iterator[tuple[str, Case]]:
    """One size varies at a time, starting from the original study's case; fewer for conv."""
    if quick:
        return (yield from _vary(QUICK, Case(MAML)))
    for kind in BOTH_ORDERS:
        yield from _vary(AXES, Case(kind))
    yield from _vary(CONV, Case(MAML, "conv"))


def _vary(axes: dict[str, list[int]], case: Case) -> Iterator[tuple[str, Case]]:
    for axis, values in axes.items():
        varied: list[dict[str, Any]] = [{axis: value} for value in values]
        yield from ((axis, replace(case, **change)) for change in varied)


def measure_in_process(case: Case, repeats: int, scratch: Path) -> dict[str, Any]:
    """Measure a case in a fresh process."""
    drawings = scratch / "drawings.npy"
    if not drawings.exists():
        np.save(drawings, load_drawings()[:SAMPLE_CHARACTERS])
    sizes = {name: getattr(case, name) for name in ("model", "ways", "shots", "steps", "tasks")}
    arguments = json.dumps({"algorithm": case.kind.label, "case": sizes, "repeats": repeats, "drawings": str(drawings)})
    command = [sys.executable, "-m", "benchmarks.one_case_process", arguments]
    return dict(json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def tables(results: dict[str, Any]) -> list[Table]:
    header = ("varied", "model", "algorithm", "ms", "ms a task", "peak memory, MiB", "of that by the meta-gradient")
    note = (
        "A meta-gradient of 32 5-way 5-shot tasks with 1 step; one size varies at a time. Each case runs in a separate "
        "process, whose peak resident memory is shown. The engine computes large meta-batches in chunks."
    )
    return [Table("Scaling", note, header, [_cells(row) for row in results["rows"]])]


def _cells(row: dict[str, Any]) -> list[str]:
    seconds = row["seconds"]
    a_task = number(1e3 * seconds["median"] / row["tasks"])
    memory = [number(row["peak_memory_mb"]), number(row["peak_memory_mb"] - row["before_mb"])]
    varied = f"{row['value']} {row['axis']}"
    return [varied, row["model"], row["algorithm"], milliseconds(seconds), a_task, *memory]
