"""ProtoNet (Snell et al. 2017): the nearest class mean in feature space; nothing adapts."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, MetaBatch, Rate, Shots, TaskConfig, Ways
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskClassifier
from metaglot.core.nn.functional_networks import FunctionalNetwork, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import RandomStream


@dataclass(frozen=True)
class Prototypes(TaskClassifier):
    """Class means [tasks, ways, features] of the support set's features."""

    network: FunctionalNetwork
    fast: TaskWeights
    support: LayerInput
    means: Tensor

    def __call__(self, query: LayerInput) -> Tensor:
        return self._logits(self.network.features(self.fast, query))

    def inductive(self, query: LayerInput) -> Tensor:
        given = self.network.statistics(self.fast, self.support)
        return self._logits(self.network.features(self.fast, query, given=given))

    def _logits(self, features: Tensor) -> Tensor:
        """The negative squared distance to each mean, without |features|^2, which all classes share."""
        return 2 * features @ self.means.mT - self.means.square().sum(-1).unsqueeze(1)


class ProtoNet(MetaLearner):
    """Snell, Swersky and Zemel 2017, "Prototypical Networks for Few-shot Learning", equations 1 and 2.

    Training tasks have more ways than test tasks (section 3.1: 60 ways, 5 queries), or as many as there are training
    characters. Tasks of one alphabet have as many ways as the smallest alphabet that a test task can be of, and in
    place of one task there are several, of about as many characters together. The learning rate is constant (the paper
    halves it every 2,000 episodes). Support and query set are normalised separately, as in MAML (the authors' code
    normalises them together). `first_order` means nothing. The network's head stays at its initialisation, unused.
    """

    class Settings(AlgorithmSettings):
        meta_batch_size: MetaBatch | None = 1
        meta_lr: Rate | None = 0.001
        training_ways: Ways = 60
        training_queries: Shots = 5

    label = "ProtoNet"
    unused_settings = frozenset({"fast_lr", "adaptation_steps", "test_adaptation_steps"})
    settings: Settings

    def cuda_graph_key(self, progress: float) -> None:
        """The host waits for the number of classes, so a CUDA graph is impossible."""

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        ways = min(self.settings.training_ways, images.characters)
        if task.characters == "alphabet" and images.alphabets:
            most = min((size for size in images.alphabets.sizes.tolist() if size >= task.ways), default=task.ways)
            ways, tasks = min(ways, most), tasks * max(1, ways // most)
        queries = min(self.settings.training_queries, images.fewest_drawings - task.shots)
        return images.sample_batch(stream, tasks, task.model_copy(update={"ways": ways, "queries": queries}))

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[Prototypes]:
        fast, images = self.network.fast(parameters), self.network.prepare(support)
        is_of_class = torch.nn.functional.one_hot(labels).to(support.dtype)  # [tasks, n, ways]
        sums = is_of_class.mT @ self.network.features(fast, images)
        yield Prototypes(self.network, fast, images, sums / is_of_class.sum(1).unsqueeze(-1))
