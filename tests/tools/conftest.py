import shutil
from pathlib import Path

import pytest
from workshop import STAMP, Make, furnish, maker


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    folder = tmp_path / "a workshop"
    furnish(folder)
    return folder


@pytest.fixture
def make(workshop: Path) -> Make:
    return maker(workshop)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workshop whose .venv is made, to be looked at; what `make` printed is in `output`."""
    folder = tmp_path_factory.mktemp("made")
    furnish(folder / "workshop")
    done = maker(folder / "workshop")(STAMP)
    assert (done.returncode, done.stderr) == (0, "")
    (folder / "output").write_text(done.stdout)
    return folder / "workshop"


@pytest.fixture
def used(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "used", symlinks=True))
