"""Which runs of the matrix are out of date, by DVC's own account."""

import re
import subprocess
from dataclasses import dataclass

from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError

from metaglot.core.common.errors import UserError

CODE = ("metaglot", "stages", "dvc.yaml", ".dvc/config")
STAGE = re.compile(r"(train|evaluate)@(?P<run>(?P<algorithm>\w+)-(?P<seed>\d+))")


@dataclass(frozen=True)
class Job:
    """The stages of one run that have to be computed: train and evaluate, or evaluate alone."""

    algorithm: str
    seed: int
    stages: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.algorithm}-{self.seed}"


def check_code_is_committed() -> None:
    """Refuse uncommitted code: workers compute with a clone of the commit."""
    changed = subprocess.run(
        ["git", "status", "--porcelain", "--", *CODE], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    if changed:
        path, others = changed[0][3:], len(changed) - 1
        more = f" and {others} more" if others else ""
        raise UserError(f"{path}{more} differs from the commit that workers clone: commit or restore it first")


def out_of_date() -> list[Job]:
    """The runs to compute, in the order of dvc.yaml. What the run cache holds is checked out instead."""
    jobs: dict[str, Job] = {}
    with Repo() as repo, repo.lock:
        for stage in repo.index.stages:
            match = STAGE.fullmatch(getattr(stage, "name", "") or "")
            if match and (match["run"] in jobs or not _is_available(repo, stage)):
                before = jobs[match["run"]].stages if match["run"] in jobs else ()
                jobs[match["run"]] = Job(match["algorithm"], int(match["seed"]), (*before, stage.name))
    return list(jobs.values())


def _is_available(repo: Repo, stage: PipelineStage) -> bool:
    """Whether a stage's results are here, or were restored from the run cache just now."""
    if not stage.changed():
        return True
    try:
        repo.stage_cache.restore(stage)
        return True
    except (RunCacheNotFoundError, OSError):
        return False
