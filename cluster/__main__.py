"""Compute runs that are out of date, many at once; `dvc repro` then has only the report to write.

python -m cluster run --workers 2              on two cores of this machine
python -m cluster run --ray 10.0.0.5:6379      on a Ray cluster that is up already
python -m cluster exp -S 'seeds=[43,44]'       an experiment: `dvc exp run --temp -S ...` with its runs on workers
python -m cluster pack FOLDER                  write jobs for another scheduler, then
python -m cluster work FOLDER maml-43          compute one of them, anywhere that sees the folder
python -m cluster collect FOLDER               bring home what is done
"""

import re
import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cluster import dvc_experiment, local, plan, restore, shared_folder
from metaglot.core.common.errors import UserError
from metaglot.report.formatting import several
from stages.support.command_line import run_command
from tools.clone import run_or_exit
from tools.in_use import in_use

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, no_args_is_help=True, help=__doc__)
NO_RESULT = "it has no result for the present params, data and code"
RESUME = "what is finished is kept, and trainings go on from their checkpoints"
Workers = Annotated[str, typer.Option(help="runs at a time: a number, or auto: one a core")]
Ray = Annotated[str, typer.Option(help="HOST:PORT of a Ray cluster, in place of this machine")]
Folder = Annotated[Path, typer.Argument(help="a folder that all machines see")]


@app.command()
def run(
    workers: Workers = "auto",
    ray: Ray = "",
    publish: Annotated[bool, typer.Option(help="publish to MLflow; without, `dvc repro` does")] = True,
    train_only: Annotated[bool, typer.Option("--train-only", help="score and publish nothing")] = False,
) -> None:
    """Compute every run that is out of date, restore the results here, and publish them to MLflow."""
    check_where(workers, ray)
    plan.check_code_is_committed()
    kinds = plan.COMPUTED[:1] if train_only else plan.COMPUTED
    try:
        with in_use(local.FOLDER):
            plan.make_inputs()
            jobs = restore.restore_or_list_missing(kinds)
            failed = compute(jobs, workers, ray) if jobs else {}
            left = {job.name: NO_RESULT for job in restore.restore_or_list_missing(kinds)}
            finish(left | failed, left, publish and not train_only)
    except KeyboardInterrupt:
        raise UserError(f"interrupted; {RESUME}") from None
    if not jobs:
        print("every run is up to date")


@app.command()
def exp(
    changes: Annotated[list[str], typer.Option("--set-param", "-S", help="KEY=VALUE, as for `dvc exp run`")],
    workers: Workers = "auto",
    ray: Ray = "",
) -> None:
    """Compute an experiment's runs in a clone; then `dvc exp run --temp` takes them from the cache."""
    plan.check_code_is_committed()
    where = ["--ray", ray] if ray else ["--workers", workers]
    with in_use(dvc_experiment.CLONE):
        run_or_exit("cluster", "run", *where, "--no-publish", folder=dvc_experiment.prepare_clone(changes))
    run_or_exit("dvc", "exp", "run", "--temp", *(part for change in changes for part in ("-S", change)))


def check_where(workers: str, ray: str) -> None:
    """Raise UserError for what is no address, or no number of workers."""
    if not ray:
        local.count(workers)
    elif not re.fullmatch(r"\S+:\d+", ray):
        raise UserError(f"Ray's address: got {ray!r}; takes HOST:PORT (--ray, RAY or RAY_ADDRESS)")


def compute(jobs: list[plan.Job], workers: str, ray: str) -> dict[str, str]:
    if not ray:
        return local.run_locally(jobs, local.count(workers))
    try:
        from cluster.ray_cluster import run_on_ray  # slow to import
    except ImportError:
        raise UserError("Ray is not installed: `make repro RAY=HOST:PORT` installs it") from None
    return run_on_ray(jobs, ray)


def finish(failed: dict[str, str], left: Iterable[str], publish: bool = True) -> None:
    """Publish all runs but those that failed or are left to compute; then raise why runs failed, in one line."""
    reasons = [f"{name} failed: {reason}" for name, reason in failed.items()]
    try:
        if publish:
            restore.publish(skip={*failed, *left})
    except UserError as error:
        reasons.append(str(error))
    if reasons:
        raise UserError("; ".join(reasons))


@app.command()
def pack(folder: Folder) -> None:
    """Write the jobs that are out of date into a folder."""
    plan.check_code_is_committed()
    plan.make_inputs()
    jobs = restore.restore_or_list_missing()
    shared_folder.write_jobs(folder, jobs)
    print(f"{folder}: {several(len(jobs), 'job')}")


@app.command()
def work(folder: Folder, run: Annotated[str, typer.Argument(help="maml-43, or a job's number, from 0")]) -> None:
    """Compute one job."""
    jobs = shared_folder.read_jobs(folder)
    named = {job.name: job for job in jobs} | {str(number): job for number, job in enumerate(jobs)}
    if run not in named:
        raise UserError(f"{folder} has no job {run}; it has {', '.join(job.name for job in jobs)}")
    shared_folder.work(folder, named[run])


@app.command()
def collect(folder: Folder) -> None:
    """Bring home what is done, restore it here, and publish it to MLflow."""
    done, others, refused = shared_folder.collect(folder)
    left = {job.name: NO_RESULT for job in restore.restore_or_list_missing()}
    print(f"brought home: {', '.join(done) or 'nothing'}" + (f"; not done: {', '.join(others)}" if others else ""))
    finish({name: left[name] for name in done if name in left} | refused, left)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # also of a command in the background, where SIGINT is ignored
        signal.signal(number, signal.default_int_handler)
    run_command(app)
