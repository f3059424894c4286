"""The class whose mean is nearest."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, MetaBatch, Rate, Shots, TaskConfig, Ways
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskClassifier
from metaglot.core.nn.fast_weights import LayerInput
from metaglot.core.nn.functional_networks import FunctionalNetwork, TaskWeights
from metaglot.core.tasks.task_sampler import ImageStore, RandomStream, TaskBatch


@dataclass(frozen=True)
class Prototypes(TaskClassifier):
    """Class means [tasks, ways, features] of the support set's features."""

    network: FunctionalNetwork
    fast: TaskWeights
    support: LayerInput
    means: Tensor

    def __call__(self, query: LayerInput) -> Tensor:
        return self._nearness(self.network.features(self.fast, query))

    def inductive(self, query: LayerInput) -> Tensor:
        given = self.network.statistics(self.fast, self.support)
        return self._nearness(self.network.features(self.fast, query, given=given))

    def _nearness(self, features: Tensor) -> Tensor:
        """Minus the squared distance to each mean, but for |features|^2, which all classes share."""
        return 2 * features @ self.means.mT - self.means.square().sum(-1).unsqueeze(1)


class ProtoNet(MetaLearner):
    """Softmax over minus the squared distances to the class means; nothing adapts.

    Snell, Swersky and Zemel 2017, "Prototypical Networks for Few-shot Learning", equations 1 and 2. Training
    tasks have more ways than those it is tested on (section 3.1: 60 ways, 5 queries), or as many as there are
    training characters. Its rate stays as it is (halved every 2,000 episodes there). Support and query set are
    normalised each on its own, as in MAML (in the authors' code together). `first_order` means nothing. The
    network's head is kept as it began, unused.
    """

    class Settings(AlgorithmSettings):
        meta_batch_size: MetaBatch | None = 1
        meta_lr: Rate | None = 0.001
        training_ways: Ways = 60
        training_queries: Shots = 5

    label = "ProtoNet"

    def __init__(
        self,
        network: FunctionalNetwork,
        fast_lr: float,
        adaptation_steps: int,
        first_order: bool | None = None,
        *,
        training_ways: int = 60,
        training_queries: int = 5,
    ):
        super().__init__(network, fast_lr, adaptation_steps)
        self.ways, self.queries = training_ways, training_queries

    def cuda_graph_key(self, progress: float) -> None:
        """The host waits for the number of classes."""

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        wide = {"ways": min(self.ways, images.characters), "queries": min(self.queries, images.drawings - task.shots)}
        return images.sample_batch(stream, tasks, task.model_copy(update=wide))

    def adapt(self, learned: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[Prototypes]:
        fast, images = self.network.fast(learned), self.network.prepare(support)
        belongs = torch.nn.functional.one_hot(labels).to(support.dtype)  # [tasks, n, ways]
        sums = belongs.mT @ self.network.features(fast, images)
        yield Prototypes(self.network, fast, images, sums / belongs.sum(1).unsqueeze(-1))
