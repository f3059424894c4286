"""Workers on this machine, of which one is killed or all are stopped: the bytes of one run after the other."""

import os
import re
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from params_file import changed
from repository import Repository, ran
from worker_cases import PARAMS, RUN, assert_same, begin, trainings, wait_for_trainings, wait_until

from metaglot.core.common.atomic_files import read_json

pytestmark = pytest.mark.slow


def test_two_workers_one_of_them_killed_end_in_the_bytes_of_one_run_after_the_other(
    workspace: Repository, undisturbed: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAGLOT_CHECKPOINT_SECONDS", "0")
    workers, checkpoints = workspace.folder / ".metaglot/workers", workspace.folder / ".metaglot/checkpoints"
    with begin(workspace, "--workers", "2") as process:
        wait_until(lambda: any(checkpoints.glob("maml-42-*/before")), 200)
        (first,) = trainings(workers / "maml-42")
        os.killpg(os.getpgid(first), signal.SIGKILL)
        _, output = process.communicate(timeout=400)
    assert process.returncode == 0, output
    assert "try 2" in output and "2 of 2 runs" in output
    assert ran(workspace.dvc("repro")) == {"report"}
    assert_same(workspace, undisturbed)
    assert read_json(workspace.folder / "data/models/maml-42/run.json")["resumed"] == 1
    assert workspace.run(*RUN, "--workers", "2").stdout == "every run is up to date\n"


def test_runs_that_were_finished_are_computed_again_after_a_change(workspace: Repository) -> None:
    for iterations in (20, 10):
        short = {"algorithms": ["maml"], "train.validate_every": 10, "train.iterations": iterations}
        workspace.change(changed(PARAMS | short))
        assert "1 of 1 run" in workspace.succeed(*RUN, "--train-only", "--workers", "1")
        record = read_json(workspace.folder / "data/models/maml-42/run.json")
        assert record["config"]["train"]["iterations"] == iterations
    assert not ran(workspace.dvc("repro", "train@maml-42"))


def test_in_a_fresh_clone_the_committed_results_are_replaced_by_those_that_workers_bring(
    undisturbed: Repository, tmp_path: Path
) -> None:
    """dvc.lock and the small results are in git, and the weights are not: the lock names results that nobody has."""
    project = undisturbed.copy_to(tmp_path / "project")
    project.commit("Results")
    project.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = Repository.at(tmp_path / "clone")
    shutil.copytree(project.folder / "data/raw", clone.folder / "data/raw")
    assert "2 of 2 runs" in clone.succeed(*RUN, "--train-only", "--workers", "2")
    weights = "models/*/weights.safetensors"
    assert clone.bytes(weights) == undisturbed.bytes(weights)
    assert not ran(clone.dvc("repro", "train@maml-42", "train@fomaml-42"))


def test_a_run_whose_worker_is_killed_every_time_is_reported_after_four_and_the_other_finishes(
    workspace: Repository,
) -> None:
    killed: set[int] = set()
    with begin(workspace, "--workers", "2") as process:
        while process.poll() is None:
            for training in trainings(workspace.folder / ".metaglot/workers/maml-42"):
                with suppress(ProcessLookupError):
                    os.killpg(os.getpgid(training), signal.SIGKILL)
                killed.add(training)
            time.sleep(0.05)
        output = process.stderr.read()
    assert (process.returncode, len(killed)) == (1, 4), output
    assert re.search(r"^error: maml-42 failed: .*, 4 times", output, re.MULTILINE) and "\nfomaml-42: done" in output
    assert [path.parent.name for path in workspace.folder.glob("data/models/*/weights.safetensors")] == ["fomaml-42"]


def test_a_run_that_fails_by_its_own_fault_is_reported_and_not_tried_again(
    workspace: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METAGLOT_CHECKPOINT_SECONDS", "soon")
    with begin(workspace, "--workers", "2") as process:
        _, output = process.communicate(timeout=400)
    assert process.returncode == 1 and "try 2" not in output
    assert "error: maml-42 failed: METAGLOT_CHECKPOINT_SECONDS: got 'soon'; takes a number of seconds" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopping_the_command_stops_every_training_which_saves_a_checkpoint(
    workspace: Repository, number: signal.Signals
) -> None:
    logs = workspace.folder / ".metaglot/workers/logs"
    workspace.change(changed(PARAMS | {"train.iterations": 10**6}))
    with begin(workspace, "--workers", "2") as process:
        wait_for_trainings(workspace.folder, 2)
        wait_until(lambda: all("iteration" in text for text in texts(logs, 2)), 200)
        process.send_signal(number)
        _, output = process.communicate(timeout=30)
    assert process.returncode in (1, -signal.SIGKILL)
    wait_until(lambda: not trainings(workspace.folder), 15)
    assert number == signal.SIGKILL or "error: interrupted; what is finished is kept" in output.splitlines()[-1]
    assert len(list((workspace.folder / ".metaglot/checkpoints").glob("*/last"))) == 2
    assert all("1000000 is saved" in text for text in texts(logs, 2))


def texts(folder: Path, number: int) -> list[str]:
    """The content of so many logs."""
    return [path.read_text() for path in folder.glob("*.log")] if len(list(folder.glob("*.log"))) == number else [""]


def test_an_uncommitted_stage_is_one_line_and_nothing_runs(tmp_path: Path) -> None:
    repository = Repository(tmp_path, changed(PARAMS))
    code = tmp_path / "stages/train.py"
    code.write_text(code.read_text() + "# changed\n")
    done = repository.run(*RUN, "--workers", "2")
    assert done.returncode == 1 and not trainings(tmp_path)
    assert re.fullmatch(r"error: stages/train\.py differs from the commit that workers clone: .*\n", done.stderr)
