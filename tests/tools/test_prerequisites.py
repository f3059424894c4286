"""What is missing on a machine or in a folder is one line, before anything is downloaded."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from workshop import ROOT, Make

CHECK = ROOT / "tools/prerequisites.py"
PYTHON = Path(sys.base_prefix, "bin", f"python3.{sys.version_info[1]}")
LIBRARY = f"python3.{sys.version_info[1]}"
OLD = sorted(Path.home().glob(".pyenv/versions/[23].*/bin/python"))


def commands(folder: Path, *names: str) -> str:
    """A PATH that holds these commands alone."""
    folder.mkdir()
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return str(folder)


def home(folder: Path, without: str) -> str:
    """A PYTHONHOME with this Python's library less one module, and without headers."""
    library = folder / "lib" / LIBRARY
    library.mkdir(parents=True)
    for entry in Path(sys.base_prefix, "lib", LIBRARY).iterdir():
        if entry.name != without:
            (library / entry.name).symlink_to(entry)
    return str(folder)


def refused(folder: Path, make: Make, *arguments: str, **extra: str) -> str:
    """The one line that `make` says before its own, having downloaded and made nothing."""
    done = make(".venv/installed", *arguments, **extra)
    assert done.returncode != 0 and done.stdout == ""
    assert not (folder / ".venv").exists() and not (folder / ".metaglot").exists()
    error, makes_own = done.stderr.splitlines()
    assert makes_own.startswith("make: ***")
    return error


def test_this_machine_is_good_enough(workshop: Path) -> None:
    assert subprocess.run([PYTHON, CHECK], cwd=workshop, capture_output=True).stderr == b""


def test_an_archive_without_git_is_refused_with_a_remedy_that_works(workshop: Path, make: Make) -> None:
    shutil.rmtree(workshop / ".git")
    error = refused(workshop, make, f"PYTHON={PYTHON}")
    assert error.startswith("error: this folder is no git repository of its own (fatal: not a git repository")
    remedy = error.split("`")[3].replace("commit", "-c user.name=a -c user.email=a@b commit")
    subprocess.run(remedy, cwd=workshop, shell=True, check=True, capture_output=True)
    assert subprocess.run([PYTHON, CHECK], cwd=workshop, capture_output=True).stderr == b""


def test_an_archive_inside_another_repository_is_refused(workshop: Path, make: Make) -> None:
    (workshop / ".git").rename(workshop.parent / ".git")
    error = refused(workshop, make, f"PYTHON={PYTHON}")
    assert f"no git repository of its own (the repository is {workshop.parent})" in error


def test_a_repository_that_git_cannot_read_is_refused_with_git_s_reason(workshop: Path, make: Make) -> None:
    (workshop / ".git/config").write_text("[core\n")
    assert "(fatal: bad config line 1 in file" in refused(workshop, make, f"PYTHON={PYTHON}")


def test_a_repository_of_another_user_is_refused_with_git_s_own_remedy(workshop: Path, make: Make) -> None:
    error = refused(workshop, make, f"PYTHON={PYTHON}", GIT_TEST_ASSUME_DIFFERENT_OWNER="1")
    remedy = f"git config --global --add safe.directory {workshop}"
    assert error == f"error: this folder is another user's, and git does not trust it: run `{remedy}`"


COMPILER = (sysconfig.get_config_var("CC") or "cc").split()[0]


@pytest.mark.parametrize(
    ("name", "machine", "error", "remedy"),
    [
        ("PATH", lambda new: commands(new, "make", "sh", COMPILER, "as", "ld"), "there is no git, and DVC", "git"),
        ("PATH", lambda new: commands(new, "make", "sh"), "there is no C compiler", "gcc"),
        ("CC", lambda _: "false", "the C compiler does not work (false", "gcc"),
        ("PYTHONHOME", lambda new: home(new, without=""), "Python's headers are missing", f"{LIBRARY}-dev"),
        ("PYTHONHOME", lambda new: home(new, without="ensurepip"), "cannot make a virtual", f"{LIBRARY}-venv"),
    ],
)
def test_what_is_missing_is_named_with_a_remedy(
    name: str, machine: Callable[[Path], str], error: str, remedy: str, workshop: Path, make: Make, tmp_path: Path
) -> None:
    line = refused(workshop, make, f"PYTHON={PYTHON}", **{name: machine(tmp_path / "new")})
    assert line.startswith("error: ") and error in line and f"apt install {remedy}" in line


def test_a_missing_python_is_named(workshop: Path, make: Make) -> None:
    error = refused(workshop, make, "PYTHON=python3.99")
    assert error.startswith("error: there is no python3.99")


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 15)])
def test_a_python_that_is_not_supported_is_named(version: tuple[int, int]) -> None:
    pretend = f"import sys, runpy; sys.version_info = {version}; runpy.run_path({str(CHECK)!r}, run_name='__main__')"
    done = subprocess.run([PYTHON, "-c", pretend], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"is Python {version[0]}.{version[1]}; metaglot runs on Python 3.11 to 3.14" in done.stderr


@pytest.mark.skipif(not OLD, reason="there is no older Python in ~/.pyenv/versions")
def test_an_old_python_reads_the_check_and_is_refused_by_it(workshop: Path, make: Make) -> None:
    error = refused(workshop, make, f"PYTHON={OLD[0]}", PYTHONDONTWRITEBYTECODE="1")
    assert "metaglot runs on Python 3.11 to 3.14" in error


def test_the_check_leaves_nothing_behind(tmp_path: Path) -> None:
    subprocess.run([PYTHON, CHECK], cwd=ROOT, env=dict(os.environ, TMPDIR=str(tmp_path)), check=True)
    assert list(tmp_path.iterdir()) == []
