"""Random tasks and networks, small enough to compute many times."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from torch import Tensor, nn

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks

CHARACTERS = 9
CPU = torch.device("cpu")


def drawings(size: int = 28, characters: int = CHARACTERS, seed: int = 0) -> np.ndarray:
    """Grey specks in the shape of a split's images, with about as much ink; all drawings and rotations differ."""
    random = np.random.default_rng(seed)
    shape = (characters, 20, size, size)
    return random.integers(1, 256, shape, dtype=np.uint8) * (random.random(shape) < 0.15)


@dataclass(frozen=True)
class Case:
    """A random meta-batch, and the algorithm and network to compute its meta-gradient."""

    model: str = "fc"
    first_order: bool = False
    steps: int = 1
    ways: int = 3
    shots: int = 2
    queries: int = 2
    fast_lr: float = 0.4
    tasks: int = 3
    size: int = 28  # of an image's side; learn2learn's OmniglotCNN supports no other
    hidden: int = 16  # filters of a convolution: as many as the C loops support
    seed: int = 0

    def but(self, **changes: Any) -> "Case":
        return replace(self, **changes)

    @property
    def task(self) -> TaskConfig:
        return TaskConfig(ways=self.ways, shots=self.shots, queries=self.queries, rotations="class")

    def algorithm(self) -> GradientBased:
        kind = FOMAML if self.first_order else MAML
        return kind(create_network(self.model), self.fast_lr, self.steps)

    def module(self) -> nn.Module:
        """learn2learn's network in float64, with random values in every parameter, biases too."""
        models = l2l.vision.models
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            fc = self.model == "fc"
            made = models.OmniglotFC(self.size**2, self.ways) if fc else models.OmniglotCNN(self.ways, self.hidden)
            for parameter in made.double().parameters():
                wide = parameter.shape[1:].numel() ** -0.5 if parameter.dim() > 1 else 0.2
                parameter.data = torch.randn_like(parameter) * wide + (parameter.dim() == 1) * parameter.data
        return made

    def parameters(self) -> dict[str, Tensor]:
        return {name: p.detach().clone().requires_grad_() for name, p in module_parameters(self.module()).items()}

    def single_parameters(self) -> dict[str, Tensor]:
        """In float32, as in training and testing."""
        return {name: value.detach().float().requires_grad_() for name, value in self.parameters().items()}

    def drawings(self) -> np.ndarray:
        return drawings(self.size)

    def images(self) -> ImageStore:
        return ImageStore(self.drawings(), CPU)

    def evaluation_tasks(self) -> TaskIndices:
        return sample_tasks((StreamPurpose.TESTING, 0, 0), self.tasks, CHARACTERS, 20, self.task)

    def batch(self, iteration: int = 1) -> TaskBatch:
        stream = (StreamPurpose.TRAINING, self.seed, iteration)
        return self.images().batch(sample_tasks(stream, self.tasks, CHARACTERS, 20, self.task), self.shots).double()


def cases(**fixed: Any) -> st.SearchStrategy[Case]:
    """Random cases with the `fixed` values."""
    free: dict[str, Any] = {
        "model": st.sampled_from(["fc", "conv"]),
        "first_order": st.booleans(),
        "steps": st.integers(0, 5),
        "ways": st.integers(2, 5),
        "shots": st.integers(1, 4),
        "queries": st.integers(1, 3),
        "fast_lr": st.floats(0.01, 0.5),
        "tasks": st.integers(1, 3),
        "seed": st.integers(0, 2**32 - 1),
    }
    return st.builds(Case, **{**free, **{name: st.just(value) for name, value in fixed.items()}})
