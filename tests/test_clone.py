"""A clone has the committed bytes, however git is set up: DVC compares files by their bytes."""

import subprocess
from pathlib import Path

import pytest
from params_file import ROOT


def clone(folder: Path, *settings: str) -> dict[str, bytes]:
    """Clone the repository with settings of git; returns the content of its files, by name."""
    flags = [word for setting in settings for word in ("-c", setting)]
    subprocess.run(["git", "clone", "-q", *flags, str(ROOT), str(folder)], check=True)
    names = subprocess.check_output(["git", "ls-files", "-z"], cwd=folder, text=True).split("\0")
    return {name: (folder / name).read_bytes() for name in names if name}


@pytest.mark.parametrize("settings", [["core.autocrlf=true"], ["core.eol=crlf"], ["core.autocrlf=input"]])
def test_line_ends_are_as_committed_whatever_git_is_told(tmp_path: Path, settings: list[str]) -> None:
    plain = clone(tmp_path / "plain", "core.autocrlf=false", "core.eol=lf")
    configured = clone(tmp_path / "set", *settings)
    assert [name for name in plain if configured[name] != plain[name]] == []
    status = subprocess.check_output(["git", "status", "--porcelain"], cwd=tmp_path / "set", text=True)
    assert status == ""
