from pathlib import Path

import torch

from benchmarks import algorithms
from benchmarks.setting import Setting
from metaglot.algorithms.table import ALGORITHMS


def test_every_algorithm_that_trains_is_measured_beside_maml(tmp_path: Path) -> None:
    found = algorithms.measure(Setting(quick=True, scratch=tmp_path))
    assert [row["name"] for row in found["rows"]] == [name for name in ALGORITHMS if name != "scratch"]
    ratios = {row["name"]: row["of_maml"]["median"] for row in found["rows"]}
    assert ratios["maml"] == 1 and all(ratio > 0 for ratio in ratios.values())
    assert found["meta_sgd_of_vmap"]["median"] > 0
    (table,) = algorithms.tables(found)
    assert len(table.rows) == len(ratios)


def test_vmap_computes_the_same_meta_sgd() -> None:
    ours, theirs = (algorithms.things()[name]()[0] for name in ("meta_sgd", "vmap"))
    apart = torch.stack([(a - b).norm() for a, b in zip(ours, theirs, strict=True)]).norm()
    assert apart < 1e-4 * torch.stack([g.norm() for g in ours]).norm()
