"""Let DVC take finished runs from its run cache, publish them, and write dvc.lock once for all of them.

`dvc repro` does the same, but writes all of dvc.lock after each stage, and starts a process for each publication.
"""

import logging
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError
from dvc_data.hashfile.hash_info import HashInfo

from cluster.plan import COMPUTED, Job, matrix_stages
from metaglot.core.common.errors import UserError

Stages = list[PipelineStage]

logging.getLogger("dvc").setLevel(logging.WARNING)  # or it prints a line for each stage that it takes from its cache


def restore_or_list_missing(kinds: Iterable[str] = COMPUTED) -> list[Job]:
    """Take what the run cache has of these kinds of stages; returns the jobs that it has not."""
    missing: dict[tuple[str, int], tuple[str, ...]] = {}
    with one_lock_file() as (repo, restored):
        for stage, algorithm, seed in matrix_stages(repo, kinds):
            run = algorithm, seed
            begun = missing.get(run, ())  # if the training is missing, the evaluation here is of old weights
            if begun or not is_current(repo, stage, restored):
                missing[run] = (*begun, stage.name)
    return [Job(*run, stages) for run, stages in missing.items()]


def is_current(repo: Repo, stage: PipelineStage, restored: Stages) -> bool:
    """Whether a stage has its results, if need be from the run cache; then it is added to `restored`."""
    if not stage.changed():
        return True
    if not is_restorable(repo, stage):
        return False
    stage.run()  # checks out the results, and starts nothing
    restored.append(stage)
    return True


@contextmanager
def one_lock_file() -> Iterator[tuple[Repo, Stages]]:
    """Yield the repository, and a list for stages that are done.

    At the end, also after Ctrl-C, their entries are written to dvc.lock. Raises UserError for what DVC refuses, such as
    a lock that another command of DVC holds.
    """
    done: Stages = []
    try:
        with Repo() as repo, repo.lock, repo.scm_context():
            try:
                yield repo, done
            finally:
                if done:
                    done[0].dvcfile.dump_stages(done, update_pipeline=False)
    except DvcException as error:
        raise UserError(f"DVC: {error}") from None


def is_restorable(repo: Repo, stage: PipelineStage) -> bool:
    """Whether DVC's cache has the results of the present command and dependencies."""
    if not all(dep.exists for dep in stage.deps):
        return False
    if not stage.changed_stage() and stage.deps_cached() and has_results(repo, stage):
        return True
    # dvc.lock has results of other dependencies, or, in a fresh clone, some that only another machine has.
    stage.save_deps()
    for out in stage.outs:
        out.hash_info = HashInfo()
    return has_results(repo, stage)


def has_results(repo: Repo, stage: PipelineStage) -> bool:
    try:
        repo.stage_cache.restore(stage, dry=True)
    except RunCacheNotFoundError:
        return False
    return True


def publish(skip: Container[str] = ()) -> None:
    """Publish the runs that are not in MLflow yet, as their `track` stages would, in this one process.

    skip: names of runs whose results here are old.
    """
    from stages import track  # imports MLflow and Altair

    with one_lock_file() as (repo, published):
        for stage, algorithm, seed in matrix_stages(repo, ["track"]):
            if f"{algorithm}-{seed}" in skip:
                continue
            if all(dep.exists for dep in stage.deps) and stage.changed():
                track.main(algorithm, seed)
                stage.save()
                published.append(stage)
