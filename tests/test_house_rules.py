"""What must not get into git: pictures, paths of somebody's machine, addresses of a package index, large files."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.draw_page import COPY as COPIED
from tools.screenshots import DOCS, LARGEST, PICTURES

ROOT = Path(__file__).parents[1]
COPY = ROOT / COPIED
LISTED = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
TRACKED = [ROOT / name for name in LISTED.split("\0") if name and (ROOT / name).is_file()]

SOMEBODYS = re.compile(r"(?<![\w.])/(root|work|home/\w+|Users/\w+)/")
INDEX = re.compile(r"https?://[^ \"']+/(simple|packages)/")


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    """Every `file:line` of a tracked text where the pattern occurs."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TRACKED
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("pattern", [SOMEBODYS, INDEX])
def test_no_file_names_a_machine_or_a_package_index(pattern: re.Pattern[str]) -> None:
    assert lines_with(pattern) == []


def test_no_picture_is_in_git_but_the_screenshots_and_they_are_small() -> None:
    suffixes = {".png", ".jpg", ".jpeg", ".gif", ".npz", ".npy", ".zip", ".pdf"}
    pictures = {path for path in TRACKED if path.suffix.lower() in suffixes}
    assert pictures == {ROOT / DOCS / name for name in PICTURES}
    assert all(path.stat().st_size <= LARGEST for path in pictures)


def test_no_file_is_large_but_the_draw_page_which_holds_two_networks() -> None:
    assert [path for path in TRACKED if path.stat().st_size > 2**20] == [COPY]
    assert COPY.stat().st_size < 3_000_000


def pins() -> dict[str, list[str]]:
    """The versions of each package of requirements.lock, one or two, as Pythons differ."""
    versions: dict[str, list[str]] = {}
    for line in (ROOT / "requirements.lock").read_text().splitlines():
        if not line.startswith("#"):
            pin = Requirement(line)
            (specifier,) = pin.specifier
            assert specifier.operator == "==", line
            versions.setdefault(canonicalize_name(pin.name), []).append(specifier.version)
    return versions


def test_the_lock_pins_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups, pipeline = project["dependency-groups"], project["project"]["optional-dependencies"]["pipeline"]
    asked = map(Requirement, project["project"]["dependencies"] + pipeline + groups["dev"] + groups["build"])
    pinned = pins() | {"learn2learn": ["0.2.0"]}  # which is built in its own way, from tools/learn2learn.txt
    for package in asked:
        assert all(package.specifier.contains(version) for version in pinned[canonicalize_name(package.name)]), package
