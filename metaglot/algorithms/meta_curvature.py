"""Meta-Curvature (Park and Oliva 2019): the outer loop learns a linear map of every inner gradient."""

from functools import partial

import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates, TaskGradient
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.nn.conv.task_kernels import ConvGradient
from metaglot.core.nn.weight_updates import LowRankGradient
from metaglot.core.tasks.image_store import ImageStore


class MetaCurvature(GradientBased):
    """Park and Oliva 2019, "Meta-Curvature", equation 7 (MC2).

    A gradient G [out, in] becomes M_o G M_i^T; that of a kernel is also multiplied along its 3x3 pixels, and that of a
    vector by a learned vector. All start at the identity, where it is MAML. Of a low-rank gradient the two maps change
    the two factors, so no task has a matrix of its own. The meta-gradient is of second order.
    """

    label = "Meta-Curvature"
    first_order = False

    @property
    def names(self) -> tuple[str, ...]:
        modes = (f"{name}.{mode}" for name in self.network.names for mode in range(self._modes(name)))
        return *self.network.names, *(f"curvature.{mode}" for mode in modes)

    def _modes(self, name: str) -> int:
        """How many maps the gradient of a parameter has."""
        if name.endswith("bias") or "normalize" in name:
            return 1
        return 3 if "conv" in name else 2

    def initial_parameters(self, parameters: MetaParameters, images: ImageStore) -> dict[str, Tensor]:
        maps = {}
        for name in self.network.names:
            value = parameters[name]
            sizes = value.flatten(2).shape if value.dim() == 4 else value.shape
            for mode, size in enumerate(sizes):
                ones = value.new_ones(size)
                maps[f"curvature.{name}.{mode}"] = torch.diag(ones) if value.dim() > 1 else ones
        return {**parameters, **maps}

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        return {
            name: partial(self._step, [parameters[f"curvature.{name}.{mode}"] for mode in range(self._modes(name))])
            for name in self.network.names
        }

    def _step(self, maps: list[Tensor], gradient: TaskGradient) -> TaskGradient:
        if isinstance(gradient, LowRankGradient):
            outputs, inputs = maps
            images = gradient.cached
            mapped = images.times(inputs) if images else gradient.inputs @ inputs.mT
            return LowRankGradient(self.fast_lr * gradient.grad @ outputs.mT, mapped)
        if isinstance(gradient, ConvGradient):
            return self.fast_lr * map_modes(gradient.dense(), maps)
        return self.fast_lr * gradient * maps[0]


def map_modes(kernels: Tensor, maps: list[Tensor]) -> Tensor:
    """Multiply kernels [tasks, out, in, 3, 3] along their outputs, inputs and pixels."""
    flat = kernels.flatten(3)
    for equation, matrix in zip(("toik,po->tpik", "toik,pi->topk", "toik,pk->toip"), maps, strict=True):
        flat = torch.einsum(equation, flat, matrix)
    return flat.view_as(kernels)
