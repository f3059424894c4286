"""MAML++ (Antoniou et al. 2019): MAML with a loss after every step, learned inner learning rates by parameter tensor
and step, a cosine schedule of the outer learning rate, and derivative-order annealing.
"""

import copy
import math
from collections.abc import Hashable
from itertools import islice
from typing import Annotated, Self

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import AlgorithmSettings, Rate, Steps
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_classifier
from metaglot.core.tasks.image_store import ImageStore, TaskBatch

STEP_LOSSES_END = 0.1  # of the training: until here, the losses of earlier steps fade (the authors' code: 10 of 100)
SECOND_ORDER_START = 1 / 3  # of the training: first order until here (section 4: 50 of 150 epochs)
LAST_LR_FACTOR = 0.01  # the last meta_lr over the first (the authors' code: 1e-5 over 1e-3)


class MAMLPlusPlus(GradientBased):
    """Antoniou, Edwards and Storkey 2019, "How to train your MAML", section 4.

    Each of the four parts can be switched off; without any it is MAML. The paper's batch norm by step is left out:
    batch norm here uses the statistics of the current batch. `first_order` means nothing, because the order changes
    during training.
    """

    class Settings(AlgorithmSettings):
        adaptation_steps: Annotated[int, Field(ge=1, le=1000)] | None = 5  # each has its own rates
        test_adaptation_steps: Steps | None = 5
        fast_lr: Rate | None = 0.1
        step_losses: bool = True
        learned_rates: bool = True
        cosine: bool = True
        order_annealing: bool = True

    label = "MAML++"
    settings: Settings
    progress = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return self.network.names + (self._rate_names(0) if self.settings.learned_rates else ())

    def _rate_names(self, step: int) -> tuple[str, ...]:
        return tuple(f"rates.{step}.{name}" for name in self.network.names)

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        """The initialisation, and a rate for every parameter tensor and step (LSLR in the paper).

        Raises UserError if rates are to be learned of no step.
        """
        if self.settings.learned_rates and not self.adaptation_steps:
            raise UserError("train.adaptation_steps: got 0; maml_plus_plus with learned_rates takes 1 or more")
        steps = range(self.adaptation_steps if self.settings.learned_rates else 0)
        rate = torch.full_like(parameters["classifier.bias"][0], self.fast_lr)
        return {**parameters, **{name: rate.clone() for step in steps for name in self._rate_names(step)}}

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        """Steps beyond those of training use the rates of the last step of training."""
        if not self.settings.learned_rates:
            return super().rates(parameters, step)
        while step and self._rate_names(step)[0] not in parameters:
            step -= 1
        return dict(zip(self.network.names, (parameters[name] for name in self._rate_names(step)), strict=True))

    def at_progress(self, progress: float) -> Self:
        now = copy.copy(self)
        now.progress = progress
        now.first_order = self.settings.order_annealing and progress < SECOND_ORDER_START
        return now

    @property
    def weighs_steps(self) -> bool:
        """Whether the losses of earlier steps still count."""
        return self.settings.step_losses and self.adaptation_steps > 0 and self.progress < STEP_LOSSES_END

    def cuda_graph_key(self, progress: float) -> Hashable | None:
        now = self.at_progress(progress)
        return None if now.weighs_steps else now.first_order

    def meta_lr_factor(self, progress: float) -> float:
        cosine = (1 + math.cos(math.pi * progress)) / 2
        return LAST_LR_FACTOR + (1 - LAST_LR_FACTOR) * cosine if self.settings.cosine else 1.0

    def meta_loss(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        """With `step_losses`: the weighted sum of the query losses after each step (MSL in the paper)."""
        if not self.weighs_steps:
            return super().meta_loss(parameters, batch)
        classifiers = islice(self.adapt(parameters, batch.support, batch.support_labels), 1, self.adaptation_steps + 1)
        scores = [score_classifier(classifier, batch, self.inductive) for classifier in classifiers]
        losses = torch.stack([after_step.losses for after_step in scores], -1)
        weighted = losses @ losses.new_tensor(self.step_weights())
        return weighted, TaskScores(scores[-1].losses.detach(), scores[-1].accuracies)

    def step_weights(self) -> list[float]:
        """The weight of each step's loss; they add up to 1. Equal at first, in the end only the last step counts."""
        equal = max(0.0, 1 - self.progress / STEP_LOSSES_END) / self.adaptation_steps
        return [equal] * (self.adaptation_steps - 1) + [1 - equal * (self.adaptation_steps - 1)]
