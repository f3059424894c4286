"""Baseline without meta-learning: the untrained network, fitted to each support set by gradient steps."""

from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Iterations, Rate, Steps
from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.inner_loop import inner_loop
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.nn.functional_networks import TaskWeights
from metaglot.core.tasks.image_store import ImageStore

RATE, STEPS = "adaptation.rate", "adaptation.steps"

Rates = Annotated[list[Rate], Field(min_length=1, max_length=100)]
Counts = Annotated[list[Steps], Field(min_length=1, max_length=100)]


class Scratch(MetaLearner):
    """The number of steps and their rate are those of `tried_rates` and `tried_steps` with the best validation
    accuracy (our choice).

    It is the floor: a meta-learner's gain is measured from here. `first_order` means nothing.
    """

    class Settings(AlgorithmSettings):
        iterations: Iterations | None = 0
        tried_rates: Rates = [0.03, 0.1, 0.3, 1.0]
        tried_steps: Counts = [1, 3, 10, 30]

    label = "From scratch"
    unused_settings = frozenset(
        {"iterations", "meta_batch_size", "meta_lr", "fast_lr", "adaptation_steps", "test_adaptation_steps"}
    )
    trains_inductively = False
    learns_sequences = True
    settings: Settings

    @property
    def candidates(self) -> list[tuple[float, int]]:
        """Every pair of a rate and a number of steps."""
        return [*product(self.settings.tried_rates, self.settings.tried_steps)]

    @property
    def names(self) -> tuple[str, ...]:
        return *self.network.names, RATE, STEPS

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        return with_choice(parameters, *self.candidates[0])

    def select_on_validation(
        self, parameters: MetaParameters, accuracy: Callable[[MetaParameters], float]
    ) -> MetaParameters:
        return max((with_choice(parameters, rate, steps) for rate, steps in self.candidates), key=accuracy)

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        return self._fit(self.network.fast(parameters), parameters, support, labels)

    def adapt_further(
        self, parameters: MetaParameters, adapted: AdaptedNetwork, support: Tensor, labels: Tensor
    ) -> Iterator[AdaptedNetwork]:
        return self._fit(adapted.fast, parameters, support, labels)

    def _fit(
        self, start: TaskWeights, parameters: MetaParameters, support: Tensor, labels: Tensor
    ) -> Iterator[AdaptedNetwork]:
        images, rates = self.network.prepare(support), dict.fromkeys(self.network.names, parameters[RATE].item())
        steps = inner_loop(self.network, start, lambda _: rates, images, labels, second_order=False)
        *_, fast = islice(steps, int(parameters[STEPS]) + 1)
        yield AdaptedNetwork(self.network, fast, images)


def with_choice(parameters: MetaParameters, rate: float, steps: int) -> dict[str, Tensor]:
    return {**parameters, RATE: torch.tensor(rate), STEPS: torch.tensor(float(steps))}
