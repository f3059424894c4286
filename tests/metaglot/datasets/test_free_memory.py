"""The memory that a process may take, by the machine and by a control group."""

from pathlib import Path

import psutil
import pytest

from metaglot.datasets import free_memory as module
from metaglot.datasets.free_memory import free_memory


def limit(folder: Path, most: str) -> None:
    """A control group that uses 600 bytes, 250 of them for files that it can drop."""
    (folder / "memory.max").write_text(f"{most}\n")
    (folder / "memory.current").write_text("600\n")
    (folder / "memory.stat").write_text("anon 350\ninactive_file 250\n")


def test_a_control_group_s_limit_leaves_what_is_unused_or_can_be_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    limit(tmp_path, "1000")
    assert free_memory() == 650


@pytest.mark.parametrize("most", ["max", None])
def test_without_a_limit_it_is_what_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: str | None
) -> None:
    monkeypatch.setattr(module, "CGROUP", tmp_path)
    if most:
        limit(tmp_path, most)
    assert free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)
