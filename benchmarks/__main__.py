"""Measure the engines; print the tables and write results.json and results.md."""

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
    iteration,
    meta_gradient,
    repro,
    results_file,
    scaling,
)
from benchmarks.options import Options
from stages.support.command_line import run_command

Part = Literal["meta_gradient", "algorithms", "iteration", "growth", "evaluation", "repro"]
PARTS: dict[Part, ModuleType] = {
    "meta_gradient": meta_gradient,
    "algorithms": algorithms,
    "iteration": iteration,
    "growth": scaling,
    "evaluation": evaluation,
    "repro": repro,
}
COLUMNS = 160  # without a terminal
QUICK_FOLDER = Path(".metaglot/benchmarks")  # a quick run does not replace committed numbers


def main(
    quick: Annotated[bool, typer.Option(help="fewer repeats, under two minutes; writes to .metaglot/benchmarks/")] = (
        False
    ),
    only: Annotated[Part | None, typer.Option(help="measure only this part and keep the results of the others")] = None,
    with_repro: Annotated[bool, typer.Option("--repro/--no-repro", help="also time `dvc repro` in a clone")] = True,
    out: Annotated[Path | None, typer.Option(help="folder for results.json and results.md")] = None,
) -> None:
    """Measure the engines; print the tables and write results.json and results.md."""
    folder = out or (QUICK_FOLDER if quick else Path("benchmarks"))
    results = results_file.load_or_create(folder, merge=bool(only))
    skipped: set[Part] = set() if with_repro and not quick else {"repro"}
    with tempfile.TemporaryDirectory() as scratch:
        for name in [only] if only else [part for part in PARTS if part not in skipped]:
            results |= measure_part(name, Options(quick, Path(scratch)))
    tables = [table for part in PARTS if part in results for table in PARTS[part].tables(results[part])]
    results_file.save(folder, results, tables)
    typer.echo(f"{folder}/results.json, {folder}/results.md")


def measure_part(name: Part, options: Options) -> results_file.Results:
    """Measure a part and print its tables."""
    start, console = time.monotonic(), Console()
    if not console.is_terminal:
        console.width = COLUMNS
    with console.status(name):
        measured = PARTS[name].measure(options)
    date = results_file.date_and_commit()
    measured |= date | {"quick": options.quick, "took_seconds": round(time.monotonic() - start)}
    for table in PARTS[name].tables(measured):
        console.print(table.rich())
    return {name: measured, **date} | ({"first_order_saves": measured["saves"]} if "saves" in measured else {})


if __name__ == "__main__":
    run_command(main)
