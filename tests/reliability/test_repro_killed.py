"""A training whose processes are all killed, DVC's too, and `dvc repro` after: the bytes of one that was left alone."""

import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path

import histories
import pytest
from draws import long, often
from killed_repro import CHECKPOINTS, LOG, MODEL, MOMENTS, TARGET, Killed, killed, resumed, rows, start
from params_file import TINY, changed, text
from repository import Repository
from stage_process import Stages, contents

from metaglot.core.common.atomic_files import read_json

pytestmark = pytest.mark.slow

ROUNDS = often(2, 32)
LENGTH = {"train.iterations": 60 + 20 * ROUNDS, "train.validate_every": 1}
PARAMS = text(changed(TINY | LENGTH | {"algorithms": ["maml"]}))


def untimed(folder: Path) -> dict[str, object]:
    """All that a training and its evaluation leave, but for times."""
    files = contents(folder, "train maml") | contents(folder, "evaluate maml")
    timed = {str(MODEL / name) for name in ("run.json", "history.csv")}
    history = histories.untimed(folder / MODEL / "history.csv")
    return {path: content for path, content in files.items() if path not in timed} | {"history": history}


@pytest.fixture(scope="module")
def left_alone(undisturbed: Path, stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What this training comes to where nobody kills it."""
    folder = shutil.copytree(undisturbed, tmp_path_factory.mktemp("left") / "alone")
    (folder / "params.yaml").write_bytes(PARAMS)
    for line in ("configure", "train maml", "evaluate maml"):
        stages.succeed(folder, line)
    return untimed(folder)


@pytest.fixture
def training(repository: Repository) -> Repository:
    """A repository in which `dvc repro` has this training to do."""
    (repository.folder / "params.yaml").write_bytes(PARAMS)
    return repository


def done_twice(runs: Sequence[Killed], output: Sequence[str]) -> list[tuple[float, float]]:
    """Seconds of training that runs did again after others, by their `output`; and the others' interval."""
    repeated, trained = [], runs[0]
    for run, after in zip(runs, output, strict=True):
        trained = run if run.seconds else trained
        last, iteration = max(trained.seconds, default=0), resumed(after)
        if iteration is not None:
            lost = trained.seconds[last] - trained.seconds[iteration] if iteration < last else 0.0
            repeated.append((lost, trained.every))
    return repeated


def test_killed_with_all_its_processes_at_random_moments_it_ends_in_the_bytes_of_one_left_alone(
    training: Repository, left_alone: dict[str, object], figure: Callable[[str], None]
) -> None:
    chance = random.Random(0)
    runs = [killed(training, moment, chance) for moment in islice(cycle(MOMENTS), ROUNDS)]
    inside = len(list(training.folder.glob(f"{CHECKPOINTS}/.last.*.partial")))
    logs = [run.output for run in runs[1:]] + [training.dvc("repro", TARGET)]
    assert untimed(training.folder) == left_alone
    assert not [log for log in logs if "another process" in log or "damaged" in log]
    twice = done_twice(runs, logs)
    assert resumed(logs[-1]) and all(seconds <= every + 0.001 for seconds, every in twice), twice
    seconds = [float(row["seconds"]) for row in rows(training.folder)]
    record = read_json(training.folder / MODEL / "run.json")
    assert seconds == sorted(seconds) and 0 < seconds[-1] <= record["train_seconds"] and record["resumed"]
    figure(
        f"{ROUNDS} kills of the whole group, {inside} inside a checkpoint's write; {len(twice)} runs went on from one, "
        f"at most {max(twice)[0]:.2f} s of training done twice; the same bytes"
    )


@pytest.fixture
def heard() -> Iterator[None]:
    """Lets what is started hear Ctrl-C, which a shell keeps from what it runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@long
@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_terminal_that_is_left_or_closed_ends_the_whole_repro_soon_and_the_next_goes_on(
    number: signal.Signals, training: Repository, left_alone: dict[str, object], figure: Callable[[str], None]
) -> None:
    (training.folder / MODEL / "history.csv").unlink()
    process = start(training, every=3600)
    while not rows(training.folder):
        time.sleep(0.02)
        assert process.poll() is None
    asked = time.monotonic()
    os.killpg(process.pid, number)
    process.wait()
    while is_alive(process.pid):
        time.sleep(0.01)
    spent = time.monotonic() - asked
    output = (training.folder / LOG).read_text()
    assert (
        f"was stopped by {number.name}: iteration " in output
        and "is saved; run the same command or `dvc repro` to resume" in output
    )
    assert resumed(training.dvc("repro", TARGET)) is not None and untimed(training.folder) == left_alone
    figure(f"all processes ended {spent:.1f} s after {number.name}; the next went on, to the same bytes")
