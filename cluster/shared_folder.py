"""Runs by any scheduler: jobs and results in a folder that all machines see, for SLURM's arrays and the like."""

import tempfile
from pathlib import Path

from cluster import job_process, workspace
from cluster.bring_home import bring_home
from cluster.plan import Job
from metaglot.core.common.atomic_files import read_json, write_bytes, write_json
from metaglot.core.common.errors import UserError


def write_jobs(folder: Path, jobs: list[Job]) -> None:
    """Write the commit, and each job with its inputs. Results of other jobs would be taken for theirs."""
    if (folder / "jobs.json").exists():
        raise UserError(f"{folder} has the jobs of an earlier `pack`: name a new folder")
    write_bytes(folder / "commit.tar", workspace.pack_commit())
    for job in jobs:
        write_bytes(folder / "inputs" / f"{job.name}.tar", workspace.pack_inputs(job))
    write_json(folder / "jobs.json", [vars(job) for job in jobs])


def read_jobs(folder: Path) -> list[Job]:
    if not (folder / "jobs.json").exists():
        raise UserError(f"{folder} holds no jobs: `python -m cluster pack {folder}` writes them")
    return [Job(row["algorithm"], row["seed"], tuple(row["stages"])) for row in read_json(folder / "jobs.json")]


def work(folder: Path, job: Job) -> None:
    """Compute one job, anywhere; a second call of a job that is done does nothing."""
    results, log = folder / "results" / f"{job.name}.tar", folder / "logs" / f"{job.name}.log"
    if results.exists():
        return
    commit, inputs = (folder / "commit.tar").read_bytes(), (folder / "inputs" / f"{job.name}.tar").read_bytes()
    with tempfile.TemporaryDirectory(prefix=f"metaglot-{job.name}-") as scratch:
        place = Path(scratch) / "workspace"
        process = job_process.start(place, job, commit, inputs, log, folder / "checkpoints", 1)
        try:
            write_bytes(results, job_process.wait_for_results(process, place, log))
        except (job_process.WorkerKilled, UserError) as reason:
            raise UserError(f"{job.name}: {reason}; its log is {log}") from None


def collect(folder: Path) -> tuple[list[str], list[str], dict[str, str]]:
    """Bring home what is done; returns the jobs at home, those without a result, and why others are refused."""
    done: list[str] = []
    others: list[str] = []
    refused: dict[str, str] = {}
    for job in read_jobs(folder):
        results = folder / "results" / f"{job.name}.tar"
        if not results.exists():
            others.append(job.name)
            continue
        try:
            bring_home(results.read_bytes())
            done.append(job.name)
        except UserError as reason:
            refused[job.name] = str(reason)
    return done, others, refused
