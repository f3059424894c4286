import os

import pytest

from metaglot.core.common.usable_cores import usable_cores


def test_the_cores_are_those_of_the_affinity_or_where_there_is_none_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_cores() == len(os.sched_getaffinity(0))
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable_cores() == os.cpu_count()
