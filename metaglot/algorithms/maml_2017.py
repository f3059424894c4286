"""MAML as in its authors' code (Finn et al. 2017): batch norm has no scale, and its shift does not adapt."""

from collections.abc import Iterator

import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import AdaptedNetwork, GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.tasks.image_store import ImageStore


class MAML2017(GradientBased):
    """The code of Finn, Abbeel and Levine 2017 adapts the weights and biases, but not the variables of TensorFlow's
    `batch_norm`, whose shift only the outer loop learns. learn2learn's networks also have a scale and adapt both.

    The scale stays in the weights file, at one. The meta-gradient is of second order.
    """

    label = "MAML (2017)"
    first_order = False

    @property
    def scales(self) -> list[str]:
        return [block.scale for block in self.network.blocks]

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        return {**parameters, **{name: torch.ones_like(parameters[name]) for name in self.scales}}

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        norms = {name for block in self.network.blocks for name in (block.scale, block.shift)}
        return {name: self.fast_lr for name in self.network.names if name not in norms}

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        constants = {name: parameters[name].detach() for name in self.scales}
        return super().adapt({**parameters, **constants}, support, labels)
