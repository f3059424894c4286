from pathlib import Path
from typing import Any

import pytest
import torch
from repository import needs_omniglot

from benchmarks import algorithms
from benchmarks.options import Options
from benchmarks.vmap import VmapEngine
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.registry import ALGORITHMS

pytestmark = pytest.mark.slow


@needs_omniglot
def test_every_algorithm_that_trains_is_measured_alternately_with_maml(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Options, "turn_seconds", 0)  # one call a turn
    results = algorithms.measure(Options(quick=True, scratch=tmp_path))
    assert [row["name"] for row in results["rows"]] == [name for name in ALGORITHMS if name != "scratch"]
    for work in ("iteration", "meta_gradient"):
        ratios = {row["name"]: row[work]["of_maml"]["median"] for row in results["rows"]}
        assert ratios["maml"] == 1 and all(ratio > 0 for ratio in ratios.values())
    assert results["meta_sgd_of_vmap"]["median"] > 0
    (table,) = algorithms.tables(results)
    assert len(table.rows) == len(results["rows"])


@needs_omniglot
def test_an_iteration_samples_new_tasks_and_changes_the_parameters() -> None:
    timed = algorithms.TimedAlgorithm(MAML)
    before = {name: value.detach().clone() for name, value in timed.optimizer.parameters.items()}
    timed.iteration()
    assert timed.optimizer.iteration == algorithms.ITERATIONS // 2 + 1
    assert not torch.equal(before["classifier.weight"], timed.optimizer.parameters["classifier.weight"])


@needs_omniglot
def test_vmap_computes_the_same_meta_sgd() -> None:
    compiled, vmapped = (
        in_double_precision(algorithms.cases_to_time()[name]) for name in ("meta_sgd: meta_gradient", "vmap")
    )
    apart = torch.stack([(a - b).norm() for a, b in zip(compiled, vmapped, strict=True)]).norm()
    assert apart < 1e-12 * torch.stack([g.norm() for g in compiled]).norm()


def in_double_precision(work: Any) -> list[torch.Tensor]:
    """The meta-gradient that is measured; `work` is the engine's method with its arguments."""
    parameters, batch, *progress = work.args
    if isinstance(engine := work.func.__self__, VmapEngine):
        engine.module.double()
    parameters = {name: value.double() for name, value in parameters.items()}
    gradients: list[torch.Tensor] = work.func(parameters, batch.double(), *progress)[0]
    return gradients
