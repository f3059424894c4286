"""The command line: errors of the user are one line."""

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
    ("arguments", "message"),
    [
        (["run", "nine-seeds"], "error: nine-seeds is not an experiment: experiments.yaml has ten-seeds, "),
        (["record", "ten-seeds", "--from", "{}"], "error: {}/dvc.lock is not there"),
        (["record", "ten-seeds", "--from", "{}", "--seeds", "42,x"], "error: --seeds takes whole numbers"),
        (["record", "tuning-1shot", "--from", "{}", "--seeds", "7"], "error: tuning-1shot is a tuning, of one seed: "),
        (["record", "variance", "--from", "{}"], "error: {} is not a clone of this project with a DVC cache in "),
    ],
)
def test_an_error_of_the_user_is_one_line(arguments: list[str], message: str, tmp_path: Path) -> None:
    ended = command(*(argument.format(tmp_path) for argument in arguments))
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert ended.stderr.startswith(message.format(tmp_path))
