"""What the tests of workers share: short runs, their bytes without times, and the processes that compute them."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import yaml
from histories import untimed
from params_file import TINY
from repository import Repository

PARAMS = TINY | {"run.threads": 1, "train.iterations": 300, "train.validate_every": 50}
CONTENTS = ("models/*/weights.safetensors", "models/*/alignment.csv", "results/*.json", "scores/*.npz")
TIMED = ("run.json", "history.csv")
RUN = ("python", "-m", "cluster", "run")


@contextmanager
def begin(repository: Repository, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """`cluster run` at work; a test that fails does not leave it behind."""
    command, folder, environment = [*RUN, *options], repository.folder, repository.environment()
    with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def assert_same(actual: Repository, expected: Repository) -> None:
    """Weights, results, histories and the entries of dvc.lock are the same but for times."""
    assert actual.bytes(*CONTENTS) == expected.bytes(*CONTENTS)
    assert histories(actual) == histories(expected)
    assert locked_runs(actual) == locked_runs(expected)


def histories(repository: Repository) -> dict[str, list[dict[str, str]]]:
    return {path.parent.name: untimed(path) for path in repository.folder.glob("data/models/*/history.csv")}


def locked_runs(repository: Repository) -> dict[str, dict[str, str]]:
    """The files of each run's stages with their md5."""
    stages = yaml.safe_load((repository.folder / "dvc.lock").read_text())["stages"]
    return {name: untimed_files(entry) for name, entry in stages.items() if "@" in name}


def untimed_files(entry: dict[str, list[dict[str, str]]]) -> dict[str, str]:
    files = [*entry["deps"], *entry.get("outs", [])]
    return {file["path"]: file["md5"] for file in files if not file["path"].endswith(TIMED)}


def trainings(folder: Path) -> list[int]:
    """The processes under a folder that train."""
    processes = psutil.process_iter(["cmdline", "cwd"])  # None for what may not be read
    return [process.pid for process in processes if is_training(**process.info, folder=folder)]


def is_training(cmdline: list[str] | None, cwd: str | None, folder: Path) -> bool:
    return "stages.train" in (cmdline or []) and (cwd or "").startswith(str(folder))


def wait_for_trainings(folder: Path, number: int) -> list[int]:
    wait_until(lambda: len(trainings(folder)) >= number, 200)
    return trainings(folder)


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it did not happen within {seconds} s"
        time.sleep(0.05)
