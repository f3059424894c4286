from pathlib import Path
from typing import Any

import pytest
import torch
from repository import needs_omniglot

from benchmarks import algorithms
from benchmarks.options import Setting
from benchmarks.vmap import Vmap
from metaglot.algorithms.registry import ALGORITHMS

pytestmark = pytest.mark.slow


@needs_omniglot
def test_every_algorithm_that_trains_is_measured_beside_maml(tmp_path: Path) -> None:
    found = algorithms.measure(Setting(quick=True, scratch=tmp_path))
    assert [row["name"] for row in found["rows"]] == [name for name in ALGORITHMS if name != "scratch"]
    ratios = {row["name"]: row["of_maml"]["median"] for row in found["rows"]}
    assert ratios["maml"] == 1 and all(ratio > 0 for ratio in ratios.values())
    assert found["meta_sgd_of_vmap"]["median"] > 0
    (table,) = algorithms.tables(found)
    assert len(table.rows) == len(ratios)


@needs_omniglot
def test_vmap_computes_the_same_meta_sgd() -> None:
    ours, theirs = (in_double_precision(algorithms.things()[name]) for name in ("meta_sgd", "vmap"))
    apart = torch.stack([(a - b).norm() for a, b in zip(ours, theirs, strict=True)]).norm()
    assert apart < 1e-12 * torch.stack([g.norm() for g in ours]).norm()


def in_double_precision(work: Any) -> list[torch.Tensor]:
    """The meta-gradient that is measured; `work` is the engine's method with its arguments."""
    learned, batch, *progress = work.args
    if isinstance(engine := work.func.__self__, Vmap):
        engine.module.double()
    found: list[torch.Tensor] = work.func({n: v.double() for n, v in learned.items()}, batch.double(), *progress)[0]
    return found
