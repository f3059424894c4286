"""Which runs of the matrix are out of date, by DVC's own account."""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from dvc.repo import Repo
from dvc.stage import PipelineStage

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError
from stages.support import paths
from tools.clone import git, run_or_exit

CODE = ("metaglot", "stages", "dvc.yaml", ".dvc/config")
STAGE = re.compile(r"(?P<stage>\w+)@(?P<algorithm>\w+)-(?P<seed>\d+)")
COMPUTED = ("train", "evaluate")  # the stages that workers run


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
    changed = git("status", "--porcelain", "--", *CODE).splitlines()
    if changed:
        path, others = changed[0][3:], len(changed) - 1
        more = f" and {others} more" if others else ""
        raise UserError(f"{path}{more} differs from the commit that workers clone: commit or restore it first")


def make_inputs() -> None:
    """Run the stages before the trainings: the configs of params.yaml, the data and its split."""
    run_or_exit("stages.configure", "--check")
    if subprocess.run([sys.executable, "-m", "dvc", "repro", "--quiet", "preprocess"], stdout=sys.stderr).returncode:
        raise UserError("`dvc repro preprocess` failed")


def matrix_stages(repo: Repo, kinds: Iterable[str]) -> Iterator[tuple[PipelineStage, str, int]]:
    """The stages of each run with its algorithm and seed, in the order of dvc.yaml.

    Raises UserError if params.yaml has one value where dvc.yaml's matrix takes a list.
    """
    try:
        stages = repo.index.stages
    except TypeError:
        remedy = "`python -m stages.configure --check` names the key that is wrong"
        raise UserError(f"params.yaml: algorithms and seeds take lists, such as [42]; {remedy}") from None
    for stage in stages:
        match = STAGE.fullmatch(getattr(stage, "name", "") or "")
        if match and match["stage"] in kinds:
            yield stage, match["algorithm"], int(match["seed"])


def iterations(jobs: list[Job]) -> dict[str, int]:
    """The length of a training, by algorithm."""
    algorithms = {job.algorithm for job in jobs}
    return {name: read_yaml(paths.train_config(name))["train"]["iterations"] for name in algorithms}
