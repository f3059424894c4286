"""Meta-SGD (Li et al. 2017): the initialisation and an inner learning rate for every parameter are learned."""

import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.tasks.image_store import ImageStore


class MetaSGD(GradientBased):
    """Li, Zhou, Chen and Li 2017, "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning", equation 5.

    Every rate starts at `fast_lr` and may become negative. The meta-gradient is of second order.
    """

    label = "Meta-SGD"
    first_order = False
    learn2learn_class = "MetaSGD"

    @property
    def names(self) -> tuple[str, ...]:
        return *self.network.names, *map(rate_name, self.network.names)

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        rates = {rate_name(name): torch.full_like(parameters[name], self.fast_lr) for name in self.network.names}
        return {**parameters, **rates}

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        return {name: parameters[rate_name(name)] for name in self.network.names}


def rate_name(parameter: str) -> str:
    """The name of a parameter's learning rates among the meta-parameters."""
    return f"rates.{parameter}"
