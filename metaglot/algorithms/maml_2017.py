"""MAML with the batch norm of its authors' code."""

from collections.abc import Iterator

import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import Adapted, GradientBased
from metaglot.core.learners.inner_loop import Rates
from metaglot.core.learners.meta_learner import Learned
from metaglot.core.tasks.task_sampler import Images


class MAML2017(GradientBased):
    """MAML whose batch norm has no scale, and a shift that does not adapt: the outer loop alone learns it.

    So it is in the code of Finn, Abbeel and Levine 2017, whose inner loop knows the weights and biases but not what
    TensorFlow's `batch_norm` keeps; learn2learn's networks have a scale too, and adapt both. Here the scale stays
    in the weights file, at one. The meta-gradient is of second order.
    """

    label = "MAML (2017)"
    first_order = False
    counterpart = None

    @property
    def scales(self) -> list[str]:
        return [block.scale for block in self.network.blocks]

    def learned(self, parameters: Learned, images: Images) -> dict[str, Tensor]:
        return {**parameters, **{name: torch.ones_like(parameters[name]) for name in self.scales}}

    def rates(self, learned: Learned, step: int) -> Rates:
        norms = {name for block in self.network.blocks for name in (block.scale, block.shift)}
        return {name: self.fast_lr for name in self.network.names if name not in norms}

    def classifiers(self, learned: Learned, support: Tensor, labels: Tensor) -> Iterator[Adapted]:
        constants = {name: learned[name].detach() for name in self.scales}
        return super().classifiers({**learned, **constants}, support, labels)
