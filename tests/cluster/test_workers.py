"""Two workers, one of which is killed, against `dvc repro`, one run after the other: the same bytes."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from params_file import TINY, changed
from repository import Repository, ran

pytestmark = pytest.mark.slow

PARAMS = TINY | {"run.threads": 1, "train.iterations": 300, "train.validate_every": 50}
CONTENTS = ("models/*/weights.safetensors", "models/*/alignment.csv", "results/*.json", "scores/*.npz")


def histories(repository: Repository) -> dict[str, list[list[str]]]:
    """Every history without its times."""
    files = repository.bytes("models/*/history.csv")
    return {name: [row[:1] + row[2:] for row in csv.reader(text.decode().splitlines())] for name, text in files.items()}


def locked(repository: Repository) -> dict[str, dict[str, str]]:
    """The entries of dvc.lock for each run, but for files with times in them."""
    stages = yaml.safe_load((repository.folder / "dvc.lock").read_text())["stages"]
    return {
        name: {file["path"]: file["md5"] for file in entry["deps"] + entry.get("outs", [])
               if not file["path"].endswith(("run.json", "history.csv"))}
        for name, entry in stages.items() if "@" in name
    }  # fmt: skip


def kill_a_training(folder: Path) -> None:
    """Kill the first job whose training has begun, with all that it started."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        for process in Path("/proc").glob("[0-9]*"):
            try:
                command, where = (process / "cmdline").read_bytes(), os.readlink(process / "cwd")
            except OSError:
                continue
            if b"stages.train" in command and where.startswith(str(folder / ".metaglot/workers")):
                time.sleep(1)
                os.killpg(os.getpgid(int(process.name)), signal.SIGKILL)
                return
        time.sleep(0.05)
    raise AssertionError("no training began")


def test_two_workers_one_of_them_killed_end_in_the_bytes_of_one_run_after_the_other(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    for folder in (alone, together):
        folder.mkdir()
    one, many = (Repository(folder, changed(PARAMS)) for folder in (alone, together))
    one.dvc("repro")
    many.dvc("repro", "preprocess")
    command = [sys.executable, "-m", "cluster", "run", "--workers", "2"]
    with subprocess.Popen(command, cwd=together, env=many.environment(), stderr=subprocess.PIPE, text=True) as process:
        kill_a_training(together)
        _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert "try 2" in said and "2 of 2 runs" in said
    again = many.dvc("repro")
    assert ran(again) == {"report"}
    assert locked(many) == locked(one)
    assert many.bytes(*CONTENTS) == one.bytes(*CONTENTS) and histories(many) == histories(one)
    assert many.run("python", "-m", "cluster", "run", "--workers", "2").stdout == "every run is up to date\n"


def test_an_uncommitted_stage_is_one_line_and_nothing_runs(tmp_path: Path) -> None:
    repository = Repository(tmp_path, changed(PARAMS))
    code = tmp_path / "stages/train.py"
    code.write_text(code.read_text() + "# changed\n")
    done = repository.run("python", "-m", "cluster", "run", "--workers", "2")
    assert done.returncode == 1
    assert re.fullmatch(r"error: stages/train\.py differs from the commit that workers clone: .*\n", done.stderr)


def test_a_ray_cluster_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    repository = Repository(tmp_path, changed(PARAMS))
    repository.dvc("repro", "preprocess")
    done = repository.run("python", "-m", "cluster", "run", "--ray", "127.0.0.1:1")
    assert done.returncode == 1
    assert re.fullmatch(r"error: no Ray cluster can be reached at 127\.0\.0\.1:1 \(.*\n", done.stderr)
