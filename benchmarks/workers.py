"""What many runs at once cost and save; docs/scale.md describes the tables.

python -m benchmarks.workers dvc      DVC's cost at home, by the number of stages
python -m benchmarks.workers ray      Ray's cost a run, by the number of nodes
python -m benchmarks.workers two      twelve short trainings by two workers, and one after the other
"""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import dvc_cost, throughput
from stages.support.command_line import run_command

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)


@app.command()
def dvc(sizes: Annotated[list[int] | None, typer.Argument(help="numbers of stages")] = None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        print(dvc_cost.table(Path(scratch), sizes or [10, 100, 300, 1000]).markdown())


@app.command()
def ray(nodes: Annotated[list[int] | None, typer.Argument(help="numbers of nodes")] = None, runs: int = 200) -> None:
    from benchmarks import ray_cost  # Ray is not always installed

    print(ray_cost.table([(number, runs, 1.0) for number in nodes or [2, 10, 30]]).markdown())


@app.command()
def two(repeats: int = 2) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        print(throughput.table(Path(scratch), repeats).markdown())


if __name__ == "__main__":
    run_command(app)
