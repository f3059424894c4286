"""Measure the engines; print what was found, and keep it in results.json and results.md."""

import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import typer
from rich.console import Console

from benchmarks import (
    algorithms,
    evaluation,
    first_order,
    iteration,
    matmul_bound,
    meta_gradient,
    repro,
    results_file,
    scaling,
)
from benchmarks.options import Setting
from benchmarks.tables import Table
from stages.support.command_line import run_command

Part = Literal["meta_gradient", "bound", "algorithms", "iteration", "first_order", "growth", "evaluation", "repro"]
PARTS: dict[Part, ModuleType] = {
    "meta_gradient": meta_gradient,
    "bound": matmul_bound,
    "algorithms": algorithms,
    "iteration": iteration,
    "first_order": first_order,
    "growth": scaling,
    "evaluation": evaluation,
    "repro": repro,
}
WIDE = 160  # columns, where there is no terminal
QUICK = Path(".metaglot/benchmarks")  # a quick look does not replace a measurement


def main(
    quick: Annotated[bool, typer.Option(help="a look within two minutes, kept in .metaglot/benchmarks/")] = False,
    only: Annotated[Part | None, typer.Option(help="measure this part anew, and keep the others")] = None,
    with_repro: Annotated[bool, typer.Option("--repro/--no-repro", help="the whole pipeline in a clone too")] = True,
    out: Annotated[Path | None, typer.Option(help="the folder for results.json and results.md")] = None,
) -> None:
    """Measure the engines; print what was found, and keep it in results.json and results.md."""
    folder = out or (QUICK if quick else Path("benchmarks"))
    results = results_file.opened(folder, merge=bool(only))
    skipped: set[Part] = set() if with_repro and not quick else {"repro"}
    with tempfile.TemporaryDirectory() as scratch:
        for name in [only] if only else [part for part in PARTS if part not in skipped]:
            results |= measured(name, Setting(quick, Path(scratch)))
            results_file.save(folder, results, [table for part in PARTS for table in shown(part, results)])
    typer.echo(f"{folder}/results.json, {folder}/results.md")


def measured(name: Part, setting: Setting) -> results_file.Results:
    """Measure a part, and print its tables."""
    start, console = time.monotonic(), Console()
    if not console.is_terminal:
        console.width = WIDE
    with console.status(name):
        found = PARTS[name].measure(setting)
    found |= results_file.when() | {"quick": setting.quick, "took_seconds": round(time.monotonic() - start)}
    for table in PARTS[name].tables(found):
        console.print(table.rich())
    return {name: found, **results_file.when()} | ({"first_order_saves": found["saves"]} if "saves" in found else {})


def shown(name: Part, results: results_file.Results) -> list[Table]:
    return PARTS[name].tables(results[name]) if name in results else []


if __name__ == "__main__":
    run_command(main)
