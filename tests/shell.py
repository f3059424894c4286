"""A command of the project, here or as a process of its own, and the one line with which it refuses."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from params_file import ROOT

from stages.support.command_line import run_command


def entered(command: Callable[..., Any] | typer.Typer, *arguments: str) -> Any:
    """Run a command here until it exits: its exit code, or the message that Python prints for exit code 1."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
        patch.setattr(sys, "argv", ["command", *arguments])
        run_command(command)
    return end.value.code


def run_python(
    folder: Path, *arguments: str, under: tuple[str, ...] = (), stdout: Any = subprocess.PIPE, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run this Python in a folder, with the project's packages; `under`: a command that runs it."""
    line = [*under, sys.executable, *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run(line, cwd=folder, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True)


def refusal_of(done: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a command that refused and printed nothing."""
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    return done.stderr
