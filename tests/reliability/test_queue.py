"""A grid of experiments and two workers, one of which is killed with all that it started."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from draws import long
from queue_workers import enqueue, enqueue_again, kill_a_worker, start, until_done
from repository import Repository

pytestmark = pytest.mark.slow

RATES = ("0.001", "0.002", "0.004", "0.005")
GRID = {f"grid-{number}": rate for number, rate in enumerate(RATES, 1)}


def published(repository: Repository) -> list[str]:
    """The learning rates of MLflow's finished runs."""
    rates = "select value from params join runs using (run_uuid) where key = 'train.meta_lr' and status = 'FINISHED'"
    with closing(sqlite3.connect(repository.folder / "mlflow.db")) as database:
        return sorted(rate for (rate,) in database.execute(rates))


@long
def test_a_killed_worker_takes_no_other_experiment_along_and_its_own_can_be_queued_again(
    repository: Repository, figure: Callable[[str], None]
) -> None:
    enqueue(repository, "grid", f"train.meta_lr={','.join(RATES)}")
    start(repository, 2)
    killed = kill_a_worker(repository)
    until_done(repository, GRID.keys() - {killed})
    assert published(repository) == sorted(GRID[name] for name in GRID.keys() - {killed})
    enqueue_again(repository, killed, f"train.meta_lr={GRID[killed]}")
    start(repository, 1)
    until_done(repository, set(GRID))
    assert "resuming from iteration" in repository.dvc("queue", "logs", killed)
    assert published(repository) == sorted(RATES)
    assert repository.status() == [] and not list(repository.folder.glob(".metaglot/checkpoints/*"))
    figure(
        f"{len(GRID)} experiments, 1 killed, {len(GRID) - 1} finished, the killed one went on; every run once in MLflow"
    )
