"""Checkpoints are read while a training replaces them."""

import os
import threading
from pathlib import Path

from cluster import home


def test_a_checkpoint_that_is_replaced_meanwhile_is_whole_or_left_out(tmp_path: Path) -> None:
    last, before = tmp_path / "maml-1-abc/last", tmp_path / "maml-1-abc/before"
    home.save(tmp_path, {"maml-1-abc": b"state"})
    stopped = threading.Event()

    def replace() -> None:
        while not stopped.is_set():
            os.replace(last, before)
            os.replace(before, last)

    thread = threading.Thread(target=replace)
    thread.start()
    try:
        found = [home.load(tmp_path, "maml-1") for _ in range(3000)]
    finally:
        stopped.set()
        thread.join()
    assert home.load(tmp_path, "maml-1") == {"maml-1-abc": b"state"}
    assert all(one in ({}, {"maml-1-abc": b"state"}) for one in found)
