"""A disk that is full, or read-only: one line, no half file taken for a whole one, and a rerun once that is mended."""

import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from draws import LONG, often
from small_disk import small_disk
from stage_process import PIPELINE, Stages, contents

pytestmark = pytest.mark.slow

SLOW = ("download", "preprocess")
MEGABYTES = 48 if LONG else 12


@pytest.fixture
def disk(undisturbed: Path, tmp_path: Path) -> Iterator[Path]:
    """A small disk that holds a copy of the finished pipeline, but for what MLflow keeps."""
    with small_disk(tmp_path / "disk", MEGABYTES) as folder:
        ignore = shutil.ignore_patterns("mlflow.db*", "mlartifacts", ".metaglot")
        yield shutil.copytree(undisturbed, folder, dirs_exist_ok=True, ignore=ignore)


def clear(disk: Path, line: str) -> None:
    """Remove what a stage wrote, as DVC does before it runs it."""
    for part in PIPELINE[line]:
        if (disk / part).is_file():
            (disk / part).unlink()
        else:
            shutil.rmtree(disk / part, ignore_errors=True)


def fill(disk: Path, room: int) -> Path:
    """Fill a disk with zeros but for so many bytes."""
    filler = disk / "filler"
    space = os.statvfs(disk)
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize - room)
    return filler


def one_line(code: int, output: str) -> bool:
    """Whether a stage failed as it should; a training says how far it was before."""
    *before, last = output.splitlines()
    return code == 1 and last.startswith("error: ") and all(" iteration " in line for line in before)


def compared(disk: Path, line: str) -> dict[str, bytes]:
    """The files whose bytes must be the same each time: not times; of MLflow's all but MLmodel, whatever the ids."""
    files = {path: content for path, content in contents(disk, line).items() if "mlflow.db" not in path}
    if line.startswith("track"):
        artifacts = {path.partition("/artifacts/")[2]: content for path, content in files.items()}
        return {path: content for path, content in artifacts.items() if path != "MLmodel"}  # it has ids and a time
    return {path: content for path, content in files.items() if Path(path).name not in ("run.json", "history.csv")}


@pytest.mark.parametrize("line", PIPELINE)
def test_a_full_disk_is_one_line_and_a_rerun_succeeds_once_there_is_room(
    line: str, disk: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    clear(disk, line)
    before = set(disk.rglob("*"))
    stages.succeed(disk, line)
    expected, rooms, rounds = compared(disk, line), random.Random(line), often(1, 4 if line in SLOW else 10)
    size = sum(map(len, contents(disk, line).values()))
    for _ in range(rounds):
        clear(disk, line)
        filler = fill(disk, rooms.randrange(size))
        ended = stages.run(disk, line)
        assert one_line(ended.code, ended.output), ended
        assert compared(disk, line).items() <= expected.items()
        assert not list(disk.rglob("*.partial"))
        filler.unlink()
        stages.succeed(disk, line)
        assert compared(disk, line) == expected
    assert before - set(disk.rglob("*")) == set()
    figure(f"{rounds} of {rounds} full disks refused in one line, nothing half written, {rounds} reruns succeeded")


@pytest.mark.parametrize("line", PIPELINE)
def test_a_read_only_folder_is_one_line_and_a_rerun_succeeds_once_it_is_not(
    line: str, disk: Path, stages: Stages, figure: Callable[[str], None]
) -> None:
    clear(disk, line)
    before = set(disk.rglob("*"))
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    ended = stages.run(disk, line)
    assert one_line(ended.code, ended.output) and "ead-only file system" in ended.output, ended
    assert set(disk.rglob("*")) == before
    subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
    stages.succeed(disk, line)
    figure("refused in one line, nothing changed; the rerun succeeded")
