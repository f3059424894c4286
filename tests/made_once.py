"""A folder that takes long to fill, filled once although several processes run the tests."""

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(request: pytest.FixtureRequest, name: str, fill: Callable[[Path], object]) -> Path:
    """The folder of that name; the first process that asks for it fills it, and no test may change it."""
    place: Path = request.getfixturevalue("tmp_path_factory").getbasetemp()
    if hasattr(request.config, "workerinput"):  # one of several processes, each with a folder of its own
        place = place.parent
    folder, is_full = place / name, place / f"{name}.full"
    with FileLock(place / f"{name}.lock"):
        if not is_full.exists():
            folder.mkdir()
            fill(folder)
            is_full.touch()
    return folder
