import hashlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import chdir
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
import torch
from filelock import FileLock, Timeout
from histories import untimed
from params_file import ROOT
from small_workspace import configure, workspace

from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config
from stages.support import checkpoints as module
from stages.support import paths
from stages.support.checkpoints import Checkpoints, checkpoint_key, save_interval
from stages.train import main

CPU = torch.device("cpu")
STATE = {"weights": torch.arange(6.0).view(2, 3).T, "iteration": torch.tensor(7)}


@pytest.fixture
def saved(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "one", every=0)


def same(state: dict[str, torch.Tensor] | None, expected: dict[str, torch.Tensor]) -> bool:
    return state is not None and all(torch.equal(state[name], expected[name]) for name in expected)


def test_the_last_saved_state_is_loaded(saved):
    assert saved.load() is None
    saved.save(STATE)
    assert same(saved.load(), STATE)
    later = {name: value + 1 for name, value in STATE.items()}
    saved.save(later)
    assert same(saved.load(), later)


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"", lambda b: b[:99] + b"?" + b[100:]])
def test_a_damaged_checkpoint_is_reported_and_the_one_before_it_is_used(saved, damage, capsys):
    saved.save(STATE)
    saved.save({name: value + 1 for name, value in STATE.items()})
    saved.last.write_bytes(damage(saved.last.read_bytes()))
    assert same(saved.load(), STATE)
    output = capsys.readouterr().err
    assert str(saved.last) in output and "damaged" in output and output.count("\n") == 1
    saved.save(STATE)  # and the good one is not thrown away for the damaged one
    assert hashlib.sha256(saved.before.read_bytes()[32:]).digest() == saved.before.read_bytes()[:32]


def test_training_starts_from_the_beginning_if_both_checkpoints_are_damaged(saved, capsys):
    saved.save(STATE)
    saved.save(STATE)
    for path in (saved.last, saved.before):
        path.write_bytes(b"noise")
    assert saved.load() is None and capsys.readouterr().err.count("is damaged: ") == 2


def test_a_checkpoint_is_due_after_its_interval(tmp_path):
    seldom = Checkpoints(tmp_path, every=3600)
    assert not seldom.is_due
    seldom.every = 0
    assert seldom.is_due


@pytest.mark.parametrize("value", ["soon", "-1", "nan", "inf", ""])
def test_an_invalid_interval_is_a_one_line_error(value, monkeypatch):
    monkeypatch.setenv(module.INTERVAL_VARIABLE, value)
    with pytest.raises(UserError, match=f"METAGLOT_CHECKPOINT_SECONDS: got '{value}'; takes a number of seconds"):
        save_interval()


def test_the_running_stage_is_part_of_the_code_although_it_is_called_main(monkeypatch):
    spec = find_spec("stages.configure")
    monkeypatch.delitem(sys.modules, "stages.configure", raising=False)
    assert "stages.configure" not in module.code_files()
    monkeypatch.setitem(sys.modules, "__main__", module_from_spec(spec))  # as `python -m` does
    assert module.code_files()["stages.configure"] == ROOT / "stages/configure.py"


def test_other_params_data_or_code_have_another_key(here, monkeypatch):
    def name(seed: int = 1, **changes: Any) -> str:
        configure(here, {key.replace("__", "."): value for key, value in changes.items()})
        return checkpoint_key(load_stage_config(TrainStageConfig, paths.train_config("maml")), seed, CPU)

    names = [name(), name(2), name(train__meta_lr=0.1), name(split__seed=7)]
    images = paths.split("train")
    images.write_bytes(images.read_bytes() + b" ")
    names.append(name())
    code = module.code_files()
    optimizer = "metaglot.training.meta_optimizer"
    assert {optimizer, "stages.support.checkpoints", "metaglot.training.training_run"} <= set(code)
    assert {path for path in code.values() if path.suffix != ".py"} == {*(ROOT / "metaglot").rglob("*.[ch]")}
    changed = here / "changed.py"
    changed.write_text("")
    monkeypatch.setattr(module, "code_files", lambda: code | {optimizer: changed})
    names.append(name())
    monkeypatch.setattr(module, "code_files", lambda: code | {"cpu_kernels.c": changed})
    names.append(name())
    moved = {"metaglot.learner" if key == optimizer else key: path for key, path in code.items()}
    monkeypatch.setattr(module, "code_files", lambda: moved)
    names.append(name())
    assert len(set(names)) == len(names)
    assert name() == names[-1]


def test_a_checkpoint_of_other_code_is_ignored(here, capsys):
    configure(here, {})
    main("maml", 3)
    expected = outcome(here)
    other = Checkpoints(here / f".metaglot/checkpoints/maml-3-{16 * '0'}", every=0)
    other.save({"learned/classifier.bias": torch.zeros(5), "iteration": torch.tensor(4)})
    capsys.readouterr()
    main("maml", 3)
    assert "resuming" not in capsys.readouterr().err
    assert outcome(here) == expected and other.load() is not None


def start(folder: Path, seconds: float = 0) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", module.INTERVAL_VARIABLE: str(seconds)}
    command = [sys.executable, "-m", "stages.train", "maml", "--seed", "3"]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def until_saved(folder: Path, process: subprocess.Popen[str], since: float = 0) -> None:
    """Wait for a checkpoint that is younger than a moment."""
    last = list((folder / ".metaglot/checkpoints").glob("maml-3-*/last"))
    while process.poll() is None and not (last and last[0].exists() and last[0].stat().st_mtime > since):
        time.sleep(0.02)
        last = list((folder / ".metaglot/checkpoints").glob("maml-3-*/last"))


Outcome = tuple[bytes, bytes, list[dict[str, str]]]


def outcome(folder: Path) -> Outcome:
    """The bytes of the weights and the alignment, and the history but for its times."""
    made = folder / paths.model("maml", 3)
    weights, alignment = (made / name for name in ("weights.safetensors", "alignment.csv"))
    return weights.read_bytes(), alignment.read_bytes(), untimed(made / "history.csv")


ROUNDS = 3
LONG = {"train.iterations": 150 * ROUNDS, "train.validate_every": 50}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """What a long training comes to that nobody disturbs."""
    folder = workspace(tmp_path_factory.mktemp("undisturbed"))
    configure(folder, LONG)
    with chdir(folder):
        main("maml", 3)
    return outcome(folder)


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_in_the_same_bytes(here, undisturbed):
    """Which are inside writes of checkpoints too: one is written after every iteration."""
    configure(here, LONG)
    kills, moments = 0, torch.Generator().manual_seed(ROUNDS)
    for _ in range(ROUNDS):
        process, began = start(here), time.time()
        until_saved(here, process, began)
        time.sleep(0.5 * torch.rand((), generator=moments).item())
        kills += process.poll() is None
        process.kill()
        process.communicate()
    assert kills == ROUNDS
    process = start(here)
    _, output = process.communicate()
    assert process.returncode == 0 and "resuming from iteration" in output
    assert outcome(here) == undisturbed
    record = read_json(here / paths.run_record("maml", 3))
    assert record["resumed"] == ROUNDS and record["train_seconds"] > 0
    assert record["ended_at"] - record["started_at"] > 1000 * (record["train_seconds"] + record["validation_seconds"])
    assert not list((here / ".metaglot/checkpoints").iterdir())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_saves_a_checkpoint_and_prints_how_to_resume(here, undisturbed, number):
    configure(here, LONG)
    process = start(here, seconds=3600)
    while not (here / paths.history("maml", 3)).exists() or len(outcome_rows(here)) < 3:
        time.sleep(0.02)
        assert process.poll() is None
    process.send_signal(number)
    _, output = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"was stopped by {number.name}: iteration " in output.splitlines()[-1] and "`dvc repro`" in output
    process = start(here, seconds=3600)
    assert "resuming from iteration" in process.communicate()[1] and process.returncode == 0
    assert outcome(here) == undisturbed


def outcome_rows(folder: Path) -> list[str]:
    return (folder / paths.history("maml", 3)).read_text().splitlines()


@pytest.mark.slow
def test_a_second_process_waits_and_uses_the_result_of_the_first(here, undisturbed):
    configure(here, LONG)
    first = start(here)
    until_saved(here, first)
    second = start(here)
    assert second.stderr is not None
    assert "another process trains this; waiting for its result" in second.stderr.readline()
    first.communicate()
    assert outcome(here) == undisturbed
    _, output = second.communicate()
    assert first.returncode == second.returncode == 0
    assert f"resuming from iteration {LONG['train.iterations']}" in output
    assert outcome(here) == undisturbed and read_json(here / paths.run_record("maml", 3))["resumed"] == 0
    assert not list((here / ".metaglot/checkpoints").iterdir())


def test_a_killed_waiting_process_does_not_keep_the_checkpoints(saved):
    with saved.exclusive("nobody"):
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        (saved.folder / f"{gone.pid}@{gethostname()}.waits").touch()
        assert not saved.has_waiters()
        for waiter in (f"{os.getpid()}@{gethostname()}", f"{gone.pid}@another"):
            (saved.folder / f"{waiter}.waits").touch()
            assert saved.has_waiters()
            (saved.folder / f"{waiter}.waits").unlink()
    assert not saved.folder.exists()


def test_a_process_that_waited_while_the_folder_was_deleted_has_the_lock_exclusively(saved):
    entered = threading.Event()

    def wait() -> None:
        with Checkpoints(saved.folder, every=0).exclusive("somebody"):
            with pytest.raises(Timeout):
                FileLock(saved.folder / "lock").acquire(timeout=0)
            entered.set()

    with saved.exclusive("nobody"):
        other = threading.Thread(target=wait)
        other.start()
        while not saved.has_waiters():
            time.sleep(0.01)
        shutil.rmtree(saved.folder, ignore_errors=True)  # the other process may open the lock file at the same time
    other.join(10)
    assert entered.is_set()
