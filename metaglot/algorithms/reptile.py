"""Reptile (Nichol et al. 2018): the shared weights move towards the mean of the tasks' adapted weights."""

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import AlgorithmSettings, MetaBatch, Rate, Shots, Steps, TaskConfig
from metaglot.core.learners.adam_steps import AdamAdapted, AdamSteps
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_queries
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import RandomStream


class Reptile(MetaLearner):
    """Nichol, Achiam and Schulman 2018, "On First-Order Meta-Learning Algorithms", algorithm 2 and appendix A, whose
    settings for 5-way Omniglot are the defaults.

    A task adapts by Adam with beta1 = 0 on minibatches of its support set. Adam's state is new in every task (in the
    authors' code it carries over from task to task). The outer rate falls to zero. `first_order` means nothing,
    because the update has no derivative of the adaptation.
    """

    class Settings(AlgorithmSettings):
        meta_batch_size: MetaBatch | None = 5
        meta_lr: Rate | None = 1.0
        fast_lr: Rate | None = 0.001
        adaptation_steps: Steps | None = 5
        test_adaptation_steps: Steps | None = 50
        minibatch: MetaBatch = 10  # images in an inner step of training
        test_minibatch: MetaBatch = 5
        training_shots: Shots = 10

    label = "Reptile"
    trains_inductively = False
    learns_sequences = True
    settings: Settings

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        """Tasks with `training_shots`; their queries only measure the training loss and accuracy.

        Raises UserError if a character has no drawing left for a query.
        """
        shots, most = self.settings.training_shots, images.fewest_drawings - 1
        if shots > most:
            raise UserError(
                f"settings.reptile.training_shots: got {shots}; takes up to {most}: a class has {most + 1} images, and "
                "one is a query"
            )
        queries = min(task.queries, images.fewest_drawings - shots)
        return images.sample_batch(stream, tasks, task.model_copy(update={"shots": shots, "queries": queries}))

    def optimiser(self, parameters: MetaParameters, meta_lr: float) -> torch.optim.Optimizer:
        return torch.optim.SGD(parameters.values(), lr=meta_lr)

    def meta_lr_factor(self, progress: float) -> float:
        return 1 - progress

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdamAdapted]:
        return self._adapt(parameters, support, labels, self.settings.test_minibatch)

    def _adapt(
        self, parameters: MetaParameters, support: Tensor, labels: Tensor, minibatch: int
    ) -> Iterator[AdamAdapted]:
        return AdamSteps(self.network, parameters, len(support), self.fast_lr).adapt(support, labels, minibatch)

    def adapt_further(
        self, parameters: MetaParameters, adapted: AdamAdapted, support: Tensor, labels: Tensor
    ) -> Iterator[AdamAdapted]:
        """Within a sequence Adam's state carries over from task to task."""
        return adapted.inner.adapt(support, labels, self.settings.test_minibatch)

    @torch.no_grad()
    def meta_gradient(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[list[Tensor], TaskScores]:
        """The parameters minus the mean adapted weights: a step of rate 1 against it ends at that mean."""
        classifiers = self._adapt(parameters, batch.support, batch.support_labels, self.settings.minibatch)
        *_, adapted = islice(classifiers, self.adaptation_steps + 1)
        means = {name: weight.dense().mean(0) for name, weight in adapted.fast.items()}
        gradient = [value - means.get(name, value) for name, value in parameters.items()]
        return gradient, score_queries(adapted(batch.query), batch.query_labels)
