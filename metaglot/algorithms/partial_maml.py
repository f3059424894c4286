"""Partial MAML: MAML whose second-order term is that of some layers, or of some tasks, alone."""

import copy
from functools import partial
from typing import Annotated

from pydantic import Field

from metaglot.core.common.stage_configs import AlgorithmSettings
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates, TaskGradient
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.nn.conv.task_kernels import ConvGradient
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS
from metaglot.core.nn.scale_derivative import scale_derivative
from metaglot.core.nn.weight_updates import LowRankGradient
from metaglot.core.tasks.image_store import TaskBatch


class PartialMAML(GradientBased):
    """Between FOMAML and MAML (ours): only a part of the inner gradient is differentiated.

    layers: of so many layers, counted back from the head, which is the first (a batch norm belongs to the layer before
    it). The meta-gradient of one step is (I - a H M) g, where M keeps the part of these layers in a vector and makes
    the others 0. tasks: in this fraction of each meta-batch; the other tasks have first-order gradients.
    """

    class Settings(AlgorithmSettings):
        layers: Annotated[int, Field(ge=0, le=5)] = 5
        tasks: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0

    label = "Partial MAML"
    first_order = False
    settings: Settings

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        layers = [(HEAD, HEAD_BIAS), *((b.matrix, b.scale, b.shift) for b in reversed(self.network.blocks))]
        exact = {name for layer in layers[: self.settings.layers] for name in layer}
        constant = partial(constant_step, self.fast_lr)
        return {name: self.fast_lr if name in exact else constant for name in self.network.names}

    def groups(self, batch: TaskBatch) -> list[tuple[MetaLearner, TaskBatch]]:
        of_first_order = copy.copy(self)
        of_first_order.first_order = True
        exact = round(self.settings.tasks * len(batch))
        split = zip(*(x.split([exact, len(batch) - exact]) for x in batch.parts()), strict=True)
        groups = zip((self, of_first_order), (TaskBatch(*tensors) for tensors in split), strict=True)
        return [(kind, tasks) for kind, tasks in groups if len(tasks)]

    def approximate_and_exact(self) -> tuple[MetaLearner, MetaLearner]:
        exact = GradientBased(self.network, self.fast_lr, self.adaptation_steps)
        exact.first_order, exact.inductive = False, self.inductive
        return self, exact


def constant_step(rate: float, gradient: TaskGradient) -> TaskGradient:
    """The step of an inner gradient that is not differentiated."""
    if isinstance(gradient, LowRankGradient):
        grad, inputs = (scale_derivative(factor, 0) for factor in (gradient.grad, gradient.inputs))
        return LowRankGradient(grad * rate, inputs, gradient.cached)
    return (gradient.dense() if isinstance(gradient, ConvGradient) else gradient).detach() * rate
