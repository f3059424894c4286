"""A command of the project as a process of its own, and the one line with which it refuses."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from params_file import ROOT


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
