"""MAML, trained as was found to work better."""

import copy
import math
from collections.abc import Hashable
from itertools import islice
from typing import Annotated, Self

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Rate, Steps
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters, TaskScores, score_queries
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.task_sampler import ImageStore, TaskBatch

LAST_STEP_ALONE = 0.1  # of the training: until here, the losses of earlier steps fade (the authors' code: 10 of 100)
SECOND_ORDER = 1 / 3  # of the training: first order until here (section 4: 50 of 150 epochs)
SLOWEST = 0.01  # the last meta_lr, of the first (the authors' code: 1e-5 of 1e-3)


class MAMLPlusPlus(GradientBased):
    """MAML with a loss at every step, learned rates by layer and step, a cosine outer rate, and derivative-order
    annealing, each of which can be switched off; without any it is MAML.

    Antoniou, Edwards and Storkey 2019, "How to train your MAML", section 4. Its batch norm by step is left
    out: batch norm here uses the batch in hand. `first_order` means nothing: the order changes in training.
    """

    class Settings(AlgorithmSettings):
        adaptation_steps: Annotated[int, Field(ge=1, le=1000)] | None = 5  # each has rates of its own
        test_adaptation_steps: Steps | None = 5
        fast_lr: Rate | None = 0.1
        step_losses: bool = True
        learned_rates: bool = True
        cosine: bool = True
        order_annealing: bool = True

    label = "MAML++"
    learn2learn_class = None

    def __init__(
        self,
        network: FunctionalNetwork,
        fast_lr: float,
        adaptation_steps: int,
        first_order: bool | None = None,
        *,
        step_losses: bool = True,
        learned_rates: bool = True,
        cosine: bool = True,
        order_annealing: bool = True,
    ):
        super().__init__(network, fast_lr, adaptation_steps)
        self.step_losses, self.learned_rates = step_losses, learned_rates
        self.cosine, self.order_annealing = cosine, order_annealing
        self.progress = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return self.network.names + (self._rates(0) if self.learned_rates else ())

    def _rates(self, step: int) -> tuple[str, ...]:
        return tuple(f"rates.{step}.{name}" for name in self.network.names)

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        """The initialisation, and a rate for every tensor of weights in every step (its 'LSLR')."""
        names = [n for step in range(self.adaptation_steps) for n in self._rates(step) if self.learned_rates]
        return {
            **parameters,
            **{name: torch.full_like(parameters["classifier.bias"][0], self.fast_lr) for name in names},
        }

    def rates(self, learned: MetaParameters, step: int) -> InnerRates:
        """Beyond the steps of training, those of its last step."""
        if not self.learned_rates:
            return super().rates(learned, step)
        while self._rates(step)[0] not in learned:
            step -= 1
        return dict(zip(self.network.names, (learned[name] for name in self._rates(step)), strict=True))

    def at_progress(self, progress: float) -> Self:
        now = copy.copy(self)
        now.progress = progress
        now.first_order = self.order_annealing and progress < SECOND_ORDER
        return now

    @property
    def weighs_steps(self) -> bool:
        """Whether the losses of earlier steps still count."""
        return self.step_losses and self.adaptation_steps > 0 and self.progress < LAST_STEP_ALONE

    def cuda_graph_key(self, progress: float) -> Hashable | None:
        now = self.at_progress(progress)
        return None if now.weighs_steps else now.first_order

    def meta_lr_factor(self, progress: float) -> float:
        return SLOWEST + (1 - SLOWEST) * (1 + math.cos(math.pi * progress)) / 2 if self.cosine else 1.0

    def meta_loss(self, learned: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        """With `step_losses` the meta-loss is the weighted sum of the query losses after each step (its 'MSL')."""
        if not self.weighs_steps:
            return super().meta_loss(learned, batch)
        made = self.adapt(learned, batch.support, batch.support_labels)
        found = [score_queries(c(batch.query), batch.query_labels) for c in islice(made, 1, self.adaptation_steps + 1)]
        losses = torch.stack([at.losses for at in found], -1)
        weighted = losses @ losses.new_tensor(self.step_weights())
        return weighted, TaskScores(found[-1].losses.detach(), found[-1].accuracies)

    def step_weights(self) -> list[float]:
        """Of each step's loss, adding up to 1: alike at first, the last step's alone in the end."""
        alike = max(0.0, 1 - self.progress / LAST_STEP_ALONE) / self.adaptation_steps
        return [alike] * (self.adaptation_steps - 1) + [1 - alike * (self.adaptation_steps - 1)]
