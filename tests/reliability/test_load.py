"""Much of everything: a hundred runs in MLflow and in the report, many seeds at once, a hundred thousand iterations."""

import os
import statistics
import time
from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import finished_run
import psutil
import pytest
from draws import long, often
from finished_pipeline import Pipeline
from mlflow import MlflowClient
from params_file import TINY, changed, text
from repository import Repository, ran
from small_workspace import workspace
from stage_process import Stages

from stages import track
from stages.support import paths

pytestmark = pytest.mark.slow

SMALLEST = {"task__ways": 2, "task__shots": 1, "task__queries": 1, "train__meta_batch_size": 1, "data__image_size": 8}
MIB_FOR_NOISE = 8
SEEDS = int(os.environ.get("METAGLOT_SEEDS", "5"))


def test_a_hundred_runs_with_full_curves_are_tracked_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = MlflowClient(f"sqlite:///{tmp_path}/mlflow.db")
    client.search_experiments()  # makes the database
    count, worked, passed = often(4, 100), [], []
    for seed in range(count):
        finished_run.write("maml", seed, rows=121)
        start = time.process_time(), time.monotonic()
        track.main("maml", seed)
        worked.append(time.process_time() - start[0])
        passed.append(time.monotonic() - start[1])
    runs = client.search_runs(["1"])
    assert sorted(int(run.data.params["seed"]) for run in runs) == [*range(count)]
    assert all(len(client.get_metric_history(run.info.run_id, "validation_loss")) == 121 for run in runs)
    figure(
        f"{count} runs of 121 rows: {statistics.mean(worked):.2f} s of the processor each, {max(worked):.2f} s at most "
        f"({statistics.mean(passed):.2f} s and {max(passed):.2f} s by the clock)"
    )


def test_a_report_of_a_hundred_runs_is_made_and_stays_below_ten_mebibytes(
    tmp_path: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    seeds, tests = often(5, 50), often(50, 10_000)
    with chdir(tmp_path):
        Pipeline(seeds=tuple(range(seeds)), tests=tests).write()
    ended = stages.succeed(tmp_path, "report")
    size = (tmp_path / paths.REPORT / "index.html").stat().st_size / 2**20
    assert size < 10
    figure(f"{2 * seeds} runs of {tests} test tasks in {ended.seconds:.0f} s; a page of {size:.1f} MiB")


def resident(process: int) -> float:
    """A process's memory, MiB; 0 if it has just ended."""
    return psutil.Process(process).memory_info().rss / 2**20 if psutil.pid_exists(process) else 0


def test_memory_stays_as_it_is_over_very_many_iterations(
    tmp_path: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    iterations = often(1_000, 100_000)
    workspace(tmp_path, train__iterations=iterations, train__validate_every=iterations // 30, **SMALLEST)
    worker, log = stages.start(tmp_path, "train maml", {"METAGLOT_CHECKPOINT_SECONDS": "1"})
    history, seen = tmp_path / paths.history("maml", 42), []
    while worker.is_alive():
        if history.exists():
            seen.append(resident(worker.pid))
        worker.join(0.05)
    assert worker.exitcode == 0, log.read_text()
    early, late = (
        statistics.median(part) for part in (seen[len(seen) // 10 : len(seen) // 4], seen[-len(seen) // 8 :])
    )
    assert late - early < MIB_FOR_NOISE, seen
    figure(f"{iterations} iterations: {early:.1f} MiB after a tenth, {late:.1f} MiB at the end")


@long
def test_many_seeds_go_through_one_repro(repository: Repository, figure: Callable[[str], None]) -> None:
    """Five, or METAGLOT_SEEDS: 50 take an hour, since DVC reads and writes all of dvc.lock after each stage."""
    seeds = list(range(100, 100 + SEEDS))  # none that the repository has run
    (repository.folder / "params.yaml").write_bytes(text(changed(TINY | {"seeds": seeds})))
    start = time.monotonic()
    stages_run = ran(repository.dvc("repro"))
    spent = time.monotonic() - start
    runs = [f"{algorithm}-{seed}" for algorithm in ("maml", "fomaml") for seed in seeds]
    each = {f"{stage}@{run}" for stage in ("train", "evaluate", "track") for run in runs}
    assert stages_run == each | {"configure", "report"}
    names = [f"{label} · seed {seed}" for label in ("FOMAML", "MAML") for seed in seeds]
    assert repository.published() == sorted(names)
    assert "Data and pipelines are up to date." in repository.dvc("repro")
    figure(f"{len(runs)} runs, {len(stages_run)} stages by one `dvc repro` in {spent:.0f} s; a second one ran nothing")
