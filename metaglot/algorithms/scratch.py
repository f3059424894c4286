"""No meta-learning at all: what one task teaches an untrained network."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Iterations, Rate, Steps
from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.inner_loop import inner_loop
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.task_sampler import ImageStore

RATE, STEPS = "adaptation.rate", "adaptation.steps"
TRIED_RATES, TRIED_STEPS = (0.03, 0.1, 0.3, 1.0), (1, 3, 10, 30)

Rates = Annotated[list[Rate], Field(min_length=1, max_length=100)]
Counts = Annotated[list[Steps], Field(min_length=1, max_length=100)]


class Scratch(MetaLearner):
    """The initial network, fitted to the support set alone by gradient steps; nothing is trained.

    How many steps, and of which rate, is what does best on the validation tasks among those tried (ours). It
    is the floor: what a meta-learner adds, it adds to this. `first_order` means nothing.
    """

    class Settings(AlgorithmSettings):
        iterations: Iterations | None = 0
        tried_rates: Rates = list(TRIED_RATES)
        tried_steps: Counts = list(TRIED_STEPS)

    label = "From scratch"

    def __init__(
        self,
        network: FunctionalNetwork,
        fast_lr: float,
        adaptation_steps: int,
        first_order: bool | None = None,
        *,
        tried_rates: Sequence[float] = TRIED_RATES,
        tried_steps: Sequence[int] = TRIED_STEPS,
    ):
        super().__init__(network, fast_lr, adaptation_steps)
        self.tried = [*product(tried_rates, tried_steps)]

    @property
    def names(self) -> tuple[str, ...]:
        return *self.network.names, RATE, STEPS

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        return self._with(parameters, *self.tried[0])

    def _with(self, parameters: MetaParameters, rate: float, count: int) -> dict[str, Tensor]:
        return {**parameters, RATE: torch.tensor(rate), STEPS: torch.tensor(float(count))}

    def select_on_validation(
        self, learned: MetaParameters, accuracy: Callable[[MetaParameters], float]
    ) -> MetaParameters:
        return max((self._with(learned, rate, count) for rate, count in self.tried), key=accuracy)

    def adapt(self, learned: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        images, rates = self.network.prepare(support), dict.fromkeys(self.network.names, learned[RATE].item())
        made = inner_loop(self.network, self.network.fast(learned), lambda _: rates, images, labels, second_order=False)
        *_, fast = islice(made, int(learned[STEPS]) + 1)
        yield AdaptedNetwork(self.network, fast, images)
