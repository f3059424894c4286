"""Ordinary training, and a linear head for every task: the baseline that a meta-learner must beat."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, MetaBatch, Positive, Rate, Task
from metaglot.core.learners.meta_learner import Algorithm, Classifier, Learned, Outcome, score
from metaglot.core.nn.fast_weights import Rows
from metaglot.core.nn.functional_networks import Fast, Network
from metaglot.core.nn.logistic_regression import Linear, fit
from metaglot.core.tasks.task_sampler import TURNS, Batch, Images, Stream

WEIGHT, BIAS = "training_classifier.weight", "training_classifier.bias"


@dataclass(frozen=True)
class Probe(Classifier):
    """The shared features, and each task's own linear head."""

    network: Network
    fast: Fast
    support: Rows
    head: Linear

    def __call__(self, query: Rows) -> Tensor:
        return self.head(self.network.features(self.fast, query))

    def inductive(self, query: Rows) -> Tensor:
        given = self.network.statistics(self.fast, self.support)
        return self.head(self.network.features(self.fast, query, given=given))


class Pretrained(Algorithm):
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
        network: Network,
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

    def learned(self, parameters: Learned, images: Images) -> dict[str, Tensor]:
        """The network, and a head over all training classes that starts at zero."""
        features = parameters["classifier.weight"].shape[1]
        classes = TURNS * images.characters
        zeros = torch.zeros(classes, features + 1, device=images.device)
        return {**parameters, WEIGHT: zeros[:, 1:].contiguous(), BIAS: zeros[:, 0].contiguous()}

    def training_batch(self, images: Images, stream: Stream, task: Task, tasks: int) -> Batch:
        """A single task without a support set, whose ways are all the training classes."""
        found, classes = images.minibatch(stream, self.minibatch, 1 if task.rotations == "none" else TURNS)
        return Batch(found[None, :0], classes[None, :0], found[None], classes[None])

    def outcome(self, learned: Learned, batch: Batch) -> tuple[Tensor, Outcome]:
        features = self.network.features(self.network.fast(learned), batch.query)
        found = score(F.linear(features, learned[WEIGHT], learned[BIAS]), batch.query_labels)
        return found.losses, Outcome(found.losses.detach(), found.accuracies)

    def classifiers(self, learned: Learned, support: Tensor, labels: Tensor) -> Iterator[Probe]:
        fast, images = self.network.fast(learned), self.network.prepare(support)
        yield Probe(self.network, fast, images, fit(self.network.features(fast, images), labels))
