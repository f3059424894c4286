from pathlib import Path

import numpy as np
import pytest

from benchmarks.cases import Case
from benchmarks.scaling import cases, measure_in_process
from metaglot.algorithms.maml import MAML


@pytest.mark.slow
def test_a_case_is_measured_in_a_separate_process(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (10, 20, 28, 28), dtype=np.uint8)
    np.save(tmp_path / "drawings.npy", pixels)
    measured = measure_in_process(Case(MAML, tasks=128), repeats=2, scratch=tmp_path)
    assert measured["seconds"]["repeats"] == 2 and measured["seconds"]["median"] > 0
    images = 2 * 128 * 25 * 784 * 4 / 2**20  # loaded before the first meta-gradient
    assert images < measured["before_mb"] < measured["peak_memory_mb"] < 1500


def test_one_size_varies_at_a_time() -> None:
    usual = Case(MAML)
    for axis, case in cases(quick=True):
        assert {
            name for name in ("ways", "shots", "steps", "tasks") if getattr(case, name) != getattr(usual, name)
        } <= {axis}
