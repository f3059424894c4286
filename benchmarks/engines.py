"""The engines to compare on one case: the batched one, learn2learn's, and torch.func's vmap."""

from torch import nn

from benchmarks.cases import Case
from benchmarks.vmap import VmapEngine
from metaglot.core.learners.batched_engine import Engine
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.learn2learn_networks import initial_module

BATCHED, LEARN2LEARN, VMAP = "batched", "learn2learn", "vmap"


def create_module(case: Case) -> nn.Module:
    return initial_module(case.model, case.ways, 28, seed=42)


def create_engines(case: Case) -> dict[str, Engine]:
    algorithm = case.algorithm()
    return {
        BATCHED: case.engine(),
        LEARN2LEARN: Learn2LearnEngine(algorithm, create_module(case)),
        VMAP: VmapEngine(algorithm, create_module(case)),
    }
