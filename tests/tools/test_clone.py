"""Git's reason for a failure is one line, also where it prints none."""

import subprocess
from pathlib import Path

import pytest

from tools.clone import git


def test_git_s_reason_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="^error: git rev-parse: fatal: not a git repository[^\n]*$"):
        git("rev-parse", "HEAD", folder=tmp_path)


def test_a_failure_without_a_reason_is_told_by_its_code(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    with pytest.raises(SystemExit, match="^error: git rev-parse: exit code 1$"):
        git("rev-parse", "-q", "--verify", "nothing", folder=tmp_path)
