import pytest
import torch
from cases import Case

from benchmarks.vmap import VmapEngine
from metaglot.core.learners.batched_engine import BatchedEngine


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize("first_order", [True, False])
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_vmap_computes_the_same_meta_gradient(model: str, first_order: bool, steps: int) -> None:
    case = Case(model=model, first_order=first_order, steps=steps)
    algorithm, parameters, batch = case.algorithm(), case.parameters(), case.batch()
    theirs, outcome = VmapEngine(algorithm, case.module()).meta_gradient(parameters, batch)
    ours, expected = BatchedEngine(algorithm, case.tasks).meta_gradient(parameters, batch)
    norm = torch.stack([g.norm() for g in ours]).norm()
    apart = torch.stack([(a - b).norm() for a, b in zip(ours, theirs, strict=True)]).norm()
    assert apart / norm < 1e-10
    torch.testing.assert_close(tuple(outcome), tuple(expected))
