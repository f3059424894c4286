"""A learned rate for every parameter."""

import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.tasks.task_sampler import ImageStore


class MetaSGD(GradientBased):
    """The initialisation and, for each of its parameters, the direction and rate of its steps are learned.

    Li, Zhou, Chen and Li 2017, "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning", equation 5. The
    meta-gradient is of second order. Every rate starts at `fast_lr` and may become negative.
    """

    label = "Meta-SGD"
    first_order = False
    learn2learn_class = "MetaSGD"

    @property
    def names(self) -> tuple[str, ...]:
        return *self.network.names, *map(rate, self.network.names)

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        rates = {rate(name): torch.full_like(parameters[name], self.fast_lr) for name in self.network.names}
        return {**parameters, **rates}

    def rates(self, learned: MetaParameters, step: int) -> InnerRates:
        return {name: learned[rate(name)] for name in self.network.names}


def rate(name: str) -> str:
    """Under which the rates of a parameter are kept."""
    return f"rates.{name}"
