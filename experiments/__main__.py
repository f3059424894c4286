"""Run experiments, record their results, and write the tables of the pages.

python -m experiments run ten-seeds                   run in a clone, then record; --workers 2: two runs at a time
python -m experiments tune tuning-1shot               train the candidates of a grid, and choose by validation
python -m experiments record ten-seeds --from FOLDER  record a run of your own
python -m experiments record second-order-dial --from FOLDER    each value that is in the folder's DVC cache
python -m experiments write                           the tables of docs/findings.md, docs/benchmarks.md, README.md
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from experiments import pages, run_in_clone
from experiments.candidates import save_candidates
from experiments.declared import find_experiment, parts_of
from experiments.figures import has_figure, write_figure
from experiments.load_record import load_records
from experiments.save_record import save_record
from experiments.take_from_cache import record_parts
from metaglot.core.common.atomic_files import write_text
from metaglot.core.common.errors import UserError
from stages.support.command_line import run_command
from tools.clone import git, last_commit
from tools.in_use import in_use
from tools.params_file import PARAMS

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="a name from experiments/experiments.yaml")]


@app.command()
def run(
    name: Name, workers: Annotated[str, typer.Option(help="runs at a time: a number, or auto for one per core")] = ""
) -> None:
    """Run an experiment in a clone of the last commit, then record it; part by part, if it has parts."""
    if find_experiment(name).grid:
        raise UserError(f"{name} is a tuning: `python -m experiments tune {name}` runs it")
    compute_parts(name, workers, run_in_clone.run_experiment, save_record)


@app.command()
def tune(name: Name, workers: Annotated[str, typer.Option(help="trainings at a time: a number, or auto")] = "") -> None:
    """Train an experiment's candidates in a clone of the last commit, record their scores, and choose."""
    if not find_experiment(name).grid:
        raise UserError(f"{name} has no grid: `python -m experiments run {name}` runs it")
    compute_parts(name, workers, run_in_clone.train_candidates, save_candidates)


def compute_parts(
    name: str, workers: str, compute: Callable[[str, str, str], Path], save: Callable[[str, Path], object]
) -> None:
    """Compute and record an experiment part by part, all with the code and the params of the same commit."""
    if git("status", "--porcelain", "--", str(PARAMS)):
        raise UserError(f"{PARAMS} differs from the commit that an experiment runs with: commit or restore it first")
    with in_use(run_in_clone.clone_of(name)):
        commit = last_commit()
        for part in parts_of(name):
            print(save(part, compute(part, commit, workers)))


@app.command()
def record(
    name: Name,
    folder: Annotated[Path, typer.Option("--from", help="the project folder where you ran it")],
    seeds: Annotated[str | None, typer.Option(help="record only these, such as 42,43")] = None,
) -> None:
    """Copy the results of an experiment that you ran yourself into docs/findings/.

    Of an experiment with parts, whatever the folder's DVC cache has. A record stays if the cache lacks a seed of it.
    """
    selected = parse_seeds(seeds)
    if selected and find_experiment(name).grid:
        raise UserError(f"{name} is a tuning, of one seed: record it without --seeds")
    parts = parts_of(name)
    for line in record_parts(parts, folder, selected) if "/" in parts[0] else [save_record(name, folder, selected)]:
        print(line)


def parse_seeds(text: str | None) -> list[int] | None:
    try:
        return list(dict.fromkeys(int(seed) for seed in text.split(","))) if text else None
    except ValueError:
        raise UserError(f"--seeds takes whole numbers, such as 42,43; got {text}") from None


@app.command()
def write() -> None:
    """Write the tables of docs/findings.md, docs/benchmarks.md and README.md, and the figures in docs/figures/."""
    for experiment in load_records().values():
        if has_figure(experiment):
            write_figure(experiment)
    for page in pages.PAGES:
        write_text(page, pages.fill_page(page))


if __name__ == "__main__":
    run_command(app)
