"""The engines that are compared, on one case: the batched one, learn2learn's loop, and torch.func's vmap."""

from torch import Tensor, nn

from benchmarks.cases import Case, require_grad
from benchmarks.vmap import Vmap
from metaglot.core.learners.batched_engine import Engine
from metaglot.training.learn2learn_engine import Learn2LearnEngine, initial_module, module_parameters

LOOP, VMAP = "learn2learn", "vmap"


def module(case: Case) -> nn.Module:
    return initial_module(case.model, case.ways, 28, seed=42)


def learned(case: Case) -> dict[str, Tensor]:
    return require_grad(module_parameters(module(case)))


def others(case: Case) -> dict[str, Engine]:
    """What the batched engine is compared with."""
    algorithm = case.algorithm()
    return {LOOP: Learn2LearnEngine(algorithm, module(case)), VMAP: Vmap(algorithm, module(case))}
