"""MAML with the batch norm of its authors' code."""

from collections.abc import Iterator

import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import AdaptedNetwork, GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.tasks.task_sampler import ImageStore


class MAML2017(GradientBased):
    """MAML whose batch norm has no scale, and a shift that does not adapt: the outer loop alone learns it.

    So it is in the code of Finn, Abbeel and Levine 2017, whose inner loop knows the weights and biases but not what
    TensorFlow's `batch_norm` keeps; learn2learn's networks have a scale too, and adapt both. Here the scale stays
    in the weights file, at one. The meta-gradient is of second order.
    """

    label = "MAML (2017)"
    first_order = False
    learn2learn_class = None

    @property
    def scales(self) -> list[str]:
        return [block.scale for block in self.network.blocks]

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        return {**parameters, **{name: torch.ones_like(parameters[name]) for name in self.scales}}

    def rates(self, learned: MetaParameters, step: int) -> InnerRates:
        norms = {name for block in self.network.blocks for name in (block.scale, block.shift)}
        return {name: self.fast_lr for name in self.network.names if name not in norms}

    def adapt(self, learned: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        constants = {name: learned[name].detach() for name in self.scales}
        return super().adapt({**learned, **constants}, support, labels)
