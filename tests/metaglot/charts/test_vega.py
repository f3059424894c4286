from collections.abc import Iterator
from pathlib import Path

import pytest

from metaglot.charts.vega import javascript

SNIPPET = "window.ours = [vega.version, vegaLite.version];"


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    javascript.cache_clear()
    yield
    javascript.cache_clear()


def test_the_script_is_made_once_and_then_read_from_the_user_s_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = javascript(SNIPPET)
    assert "window.ours" in made and "</script" not in made
    (file,) = (tmp_path / "metaglot").iterdir()
    assert file.read_text() == made
    file.write_text("from the cache")
    javascript.cache_clear()
    assert javascript(SNIPPET) == "from the cache"


def test_without_a_folder_to_keep_it_in_the_script_is_made_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert "window.ours" in javascript(SNIPPET)
