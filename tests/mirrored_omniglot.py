"""A mirror with two small archives in Omniglot's place, and a workspace to download them into."""

from pathlib import Path

import pytest
from small_omniglot import Archives, pair

from metaglot.core.common.atomic_files import write_yaml
from metaglot.datasets import omniglot_mirrors
from metaglot.datasets.omniglot import Omniglot
from stages.support import paths

RAW = {"images_background.zip", "images_evaluation.zip", "source.json"}


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archives:
    """A workspace, a mirror beside it, and small archives in Omniglot's place; nothing official can be reached."""
    (tmp_path / "workspace").mkdir()
    monkeypatch.chdir(tmp_path / "workspace")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write_yaml(paths.DATA_CONFIG, {"source": "omniglot"})
    archives = pair(tmp_path / "mirror")
    monkeypatch.setattr(Omniglot, "parts", archives)
    monkeypatch.setenv("OMNIGLOT_MIRROR", str(tmp_path / "mirror"))
    return archives


@pytest.fixture
def unreachable_official(monkeypatch: pytest.MonkeyPatch, silent_port: int) -> str:
    """An official address that does not answer."""
    return set_official(monkeypatch, f"http://127.0.0.1:{silent_port}")


def set_official(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    monkeypatch.setattr(omniglot_mirrors, "ADDRESS", address)
    return address


def kept() -> set[str]:
    """The names of what lies in data/raw."""
    return {path.name for path in paths.RAW.glob("*")}
