"""The meta-batches to time: of Omniglot's drawings, since the batched engine skips their empty pixels."""

from dataclasses import dataclass

import torch

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.common.stage_configs import Model, TaskConfig
from metaglot.core.learners.batched_engine import BatchedEngine, default_task_chunk
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.initial_weights import initial_weights
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks

CPU = torch.device("cpu")
FAST_LR = 0.5
BOTH_ORDERS: tuple[type[GradientBased], ...] = (FOMAML, MAML)


@dataclass(frozen=True)
class Case:
    """An algorithm on a network and a task; as many queries as shots, as in the original study."""

    kind: type[GradientBased]
    model: Model = "fc"
    ways: int = 5
    shots: int = 5
    steps: int = 1
    tasks: int = 32

    @property
    def task(self) -> TaskConfig:
        return TaskConfig(ways=self.ways, shots=self.shots, queries=self.shots, rotations="class")

    @property
    def chunk(self) -> int:
        """Tasks at a time: what `task_chunk: auto` means here."""
        return default_task_chunk(self.model, self.task, CPU)

    def algorithm(self) -> GradientBased:
        return self.kind(create_network(self.model), FAST_LR, self.steps)

    def engine(self) -> BatchedEngine:
        return BatchedEngine(self.algorithm(), self.chunk)

    def batch(self, images: ImageStore) -> TaskBatch:
        tasks = sample_tasks((StreamPurpose.TRAINING, 0, 1), self.tasks, images.characters, images.drawings, self.task)
        return images.batch(tasks, self.shots)

    def describe(self) -> dict[str, object]:
        """The first columns of a row."""
        task, label = f"{self.ways}-way {self.shots}-shot", self.kind.label
        return {"model": self.model, "task": task, "steps": self.steps, "tasks": self.tasks, "algorithm": label}


def initial_parameters(case: Case) -> dict[str, torch.Tensor]:
    return require_grad(initial_weights(case.model, case.ways, 28, seed=42))


def require_grad(parameters: MetaParameters) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone().requires_grad_() for name, value in parameters.items()}
