"""Let DVC take finished runs from its run cache, publish them, and write dvc.lock once for all of them.

`dvc repro` does the same, but writes all of dvc.lock after each stage, and starts a process for each publication.
"""

import logging
from collections.abc import Container, Iterable, Iterator
from contextlib import contextmanager

from dvc.repo import Repo
from dvc.stage import PipelineStage
from dvc.stage.cache import RunCacheNotFoundError
from dvc_data.hashfile.hash_info import HashInfo

from cluster.plan import COMPUTED, Job, matrix_stages

Stages = list[PipelineStage]

logging.getLogger("dvc").setLevel(logging.WARNING)  # or it prints a line for each stage that it takes from its cache


def restore(kinds: Iterable[str] = COMPUTED) -> list[Job]:
    """Take what the run cache has of these kinds of stages; returns the jobs that it has not."""
    missing: dict[tuple[str, int], tuple[str, ...]] = {}
    with Repo() as repo, one_lock_file(repo) as restored:
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
def one_lock_file(repo: Repo) -> Iterator[Stages]:
    """Yield a list for stages that are done; at the end, also after Ctrl-C, their entries are written to dvc.lock."""
    with repo.lock, repo.scm_context():
        done: Stages = []
        try:
            yield done
        finally:
            if done:
                done[0].dvcfile.dump_stages(done, update_pipeline=False)


def is_restorable(repo: Repo, stage: PipelineStage) -> bool:
    """Whether DVC's cache has the results of the present command and dependencies."""
    if not all(dep.exists for dep in stage.deps):
        return False
    if stage.changed_stage() or not stage.deps_cached():  # the results in dvc.lock are those of other dependencies
        stage.save_deps()
        for out in stage.outs:
            out.hash_info = HashInfo()
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

    with Repo() as repo, one_lock_file(repo) as published:
        for stage, algorithm, seed in matrix_stages(repo, ["track"]):
            if f"{algorithm}-{seed}" in skip:
                continue
            if all(dep.exists for dep in stage.deps) and stage.changed():
                track.main(algorithm, seed)
                stage.save()
                published.append(stage)
