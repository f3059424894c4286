"""The command: what it says, in one line, when it cannot do what it was told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from params_file import ROOT


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "experiments", *arguments]
    return subprocess.run(line, cwd=ROOT, env=os.environ | {"COLUMNS": "200"}, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nine-seeds"], "error: nine-seeds is no experiment: experiments.yaml has ten-seeds, "),
        (["record", "ten-seeds", "--from", "{}"], "error: {}/dvc.lock is not there"),
        (["record", "ten-seeds", "--from", "{}", "--seeds", "42,x"], "error: --seeds takes whole numbers"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = command(*(one.format(tmp_path) for one in arguments))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(said.format(tmp_path))
