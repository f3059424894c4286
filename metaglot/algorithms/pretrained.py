"""Ordinary training, and a linear head for every task: the baseline that a meta-learner must beat."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, MetaBatch, Positive, Rate, TaskConfig
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskClassifier, TaskScores, score_queries
from metaglot.core.nn.fast_weights import LayerInput
from metaglot.core.nn.functional_networks import FunctionalNetwork, TaskWeights
from metaglot.core.nn.logistic_regression import Linear, fit
from metaglot.core.tasks.task_sampler import ROTATIONS, ImageStore, RandomStream, TaskBatch

WEIGHT, BIAS = "training_classifier.weight", "training_classifier.bias"


@dataclass(frozen=True)
class Probe(TaskClassifier):
    """The shared features, and each task's own linear head."""

    network: FunctionalNetwork
    fast: TaskWeights
    support: LayerInput
    head: Linear

    def __call__(self, query: LayerInput) -> Tensor:
        return self.head(self.network.features(self.fast, query))

    def inductive(self, query: LayerInput) -> Tensor:
        given = self.network.statistics(self.fast, self.support)
        return self.head(self.network.features(self.fast, query, given=given))


class Pretrained(MetaLearner):
    """One network learns to tell all training characters apart, each of their turns a class of its own; then a
    task fits a logistic regression on its support set's features.

    Chen, Liu, Kira, Wang and Huang 2019, "A Closer Look at Few-shot Classification", section 3.2, 'Baseline';
    the head is scikit-learn's, as in Tian et al. 2020. Training ends when `patience` validations brought
    nothing better, and the best weights are kept. `first_order` means nothing. The network's own head is kept
    as it began, unused.
    """

    class Settings(AlgorithmSettings):
        meta_lr: Rate | None = 0.001
        minibatch: MetaBatch = 256
        patience: Positive = 5

    label = "Pretrained"

    def __init__(
        self,
        network: FunctionalNetwork,
        fast_lr: float,
        adaptation_steps: int,
        first_order: bool | None = None,
        *,
        minibatch: int = 256,
        patience: int = 5,
    ):
        """minibatch: images in an iteration. patience: validations."""
        super().__init__(network, fast_lr, adaptation_steps)
        self.minibatch, self.patience = minibatch, patience

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        """The network, and a head over all training classes that starts at zero."""
        features = parameters["classifier.weight"].shape[1]
        classes = ROTATIONS * images.characters
        zeros = torch.zeros(classes, features + 1, device=images.device)
        return {**parameters, WEIGHT: zeros[:, 1:].contiguous(), BIAS: zeros[:, 0].contiguous()}

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        """A single task without a support set, whose ways are all the training classes."""
        found, classes = images.minibatch(stream, self.minibatch, 1 if task.rotations == "none" else ROTATIONS)
        return TaskBatch(found[None, :0], classes[None, :0], found[None], classes[None])

    def meta_loss(self, learned: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        features = self.network.features(self.network.fast(learned), batch.query)
        found = score_queries(F.linear(features, learned[WEIGHT], learned[BIAS]), batch.query_labels)
        return found.losses, TaskScores(found.losses.detach(), found.accuracies)

    def adapt(self, learned: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[Probe]:
        fast, images = self.network.fast(learned), self.network.prepare(support)
        yield Probe(self.network, fast, images, fit(self.network.features(fast, images), labels))
