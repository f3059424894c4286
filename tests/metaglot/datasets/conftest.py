from pathlib import Path

import pytest
from mirror_server import mirror_server as mirror_server
from mirror_server import silent_port as silent_port
from small_omniglot import archive

from metaglot.datasets.omniglot_layout import OfficialArchive


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, OfficialArchive]:
    """An archive of three characters, and what is known of it."""
    return tmp_path / "x.zip", archive(tmp_path / "x.zip", "images_background", [2, 1], 1)
