"""Pretraining baseline: a network trained to classify all training characters, then a linear head for every task."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Heads, MetaBatch, Positive, Rate, TaskConfig
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskClassifier, TaskScores, score_queries
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, FunctionalNetwork, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.nn.logistic_regression import Linear, fit
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import RandomStream
from metaglot.core.tasks.task_sampler import ROTATIONS

WEIGHT, BIAS = "training_classifier.weight", "training_classifier.bias"


@dataclass(frozen=True)
class LinearProbe(TaskClassifier):
    """The shared features with each task's own linear head."""

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
    """The 'Baseline' of Chen, Liu, Kira, Wang and Huang 2019, "A Closer Look at Few-shot Classification", section 3.2.

    Every rotation of a training character is its own class. A task's head is a logistic regression on the support
    set's features, scikit-learn's as in Tian et al. 2020, but without their L2 normalisation of the features. Training
    stops early and keeps the best parameters. `first_order` means nothing. The network's own head stays at its
    initialisation, unused.
    """

    class Settings(AlgorithmSettings):
        meta_lr: Rate | None = 0.001
        minibatch: MetaBatch = 256  # images in an iteration
        patience: Positive = 5  # validations

    label = "Pretrained"
    unused_settings = frozenset({"meta_batch_size", "adaptation_steps"})
    trains_inductively = False
    learns_sequences = True
    settings: Settings

    @property
    def patience(self) -> int:
        return self.settings.patience

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        """The network, and a head over all training classes that starts at zero."""
        features = parameters["classifier.weight"].shape[1]
        classes = ROTATIONS * images.characters
        zeros = torch.zeros(classes, features + 1, device=images.device)
        return {**parameters, WEIGHT: zeros[:, 1:].contiguous(), BIAS: zeros[:, 0].contiguous()}

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        """A single task without a support set, whose ways are all the training classes."""
        rotations = 1 if task.rotations == "none" else ROTATIONS
        pixels, classes = images.minibatch(stream, self.settings.minibatch, rotations)
        return TaskBatch(pixels[None, :0], classes[None, :0], pixels[None], classes[None])

    def meta_loss(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        features = self.network.features(self.network.fast(parameters), batch.query)
        scores = score_queries(F.linear(features, parameters[WEIGHT], parameters[BIAS]), batch.query_labels)
        return scores.losses, TaskScores(scores.losses.detach(), scores.accuracies)

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[LinearProbe]:
        fast, images = self.network.fast(parameters), self.network.prepare(support)
        yield LinearProbe(self.network, fast, images, fit(self.network.features(fast, images), labels))

    def learn_sequence(
        self,
        parameters: MetaParameters,
        supports: Iterable[tuple[Tensor, Tensor]],
        steps: int,
        heads: Heads = "one",
    ) -> Iterator[list[TaskClassifier]]:
        """In a sequence every weight takes gradient steps at `fast_lr`, from a head of zeros: no probe is fitted."""
        zeros = {name: torch.zeros_like(parameters[name]) for name in (HEAD, HEAD_BIAS)}
        fine_tuned = GradientBased(self.network, self.fast_lr, self.adaptation_steps)
        yield from fine_tuned.learn_sequence({**parameters, **zeros}, supports, steps, heads)
