"""No meta-learning at all: what one task teaches an untrained network."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Iterations, Rate, Steps
from metaglot.core.learners.gradient_based import Adapted
from metaglot.core.learners.inner_loop import steps
from metaglot.core.learners.meta_learner import Algorithm, Learned
from metaglot.core.nn.functional_networks import Network
from metaglot.core.tasks.task_sampler import Images

RATE, STEPS = "adaptation.rate", "adaptation.steps"
TRIED_RATES, TRIED_STEPS = (0.03, 0.1, 0.3, 1.0), (1, 3, 10, 30)

Rates = Annotated[list[Rate], Field(min_length=1, max_length=100)]
Counts = Annotated[list[Steps], Field(min_length=1, max_length=100)]


class Scratch(Algorithm):
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
        network: Network,
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

    def learned(self, parameters: Learned, images: Images) -> dict[str, Tensor]:
        return self._with(parameters, *self.tried[0])

    def _with(self, parameters: Learned, rate: float, count: int) -> dict[str, Tensor]:
        return {**parameters, RATE: torch.tensor(rate), STEPS: torch.tensor(float(count))}

    def tuned(self, learned: Learned, accuracy: Callable[[Learned], float]) -> Learned:
        return max((self._with(learned, rate, count) for rate, count in self.tried), key=accuracy)

    def classifiers(self, learned: Learned, support: Tensor, labels: Tensor) -> Iterator[Adapted]:
        images, rates = self.network.prepare(support), dict.fromkeys(self.network.names, learned[RATE].item())
        made = steps(self.network, self.network.fast(learned), lambda _: rates, images, labels, second_order=False)
        *_, fast = islice(made, int(learned[STEPS]) + 1)
        yield Adapted(self.network, fast, images)
