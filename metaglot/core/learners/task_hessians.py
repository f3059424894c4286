"""The Hessian of each task's loss at the task's own weights, times a direction.

On n rows of inputs H of a layer, with the gradient G of its outputs, the gradient of its weights is G^T H, and the
product of the Hessian with any direction is A^T H + G^T B: A and B are the derivatives of G and of H along the
direction. Only A [n, out] and B [n, in] differ from one direction to another, so a sum of many products has no higher
rank than one.
"""

from collections.abc import Collection
from itertools import islice

import torch
from torch import Tensor

from metaglot.core.learners.conjugate_gradients import Coordinates
from metaglot.core.learners.inner_loop import task_losses
from metaglot.core.learners.task_directions import Part, TaskDirections
from metaglot.core.nn.conv.task_kernels import TaskConvWeight
from metaglot.core.nn.fast_weights import TaskLinearWeight, TaskVector
from metaglot.core.nn.functional_networks import FunctionalNetwork, LayerRecorder, TaskWeight, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.nn.weight_updates import LowRankGradient


class TaskHessians:
    """A second-order graph of the loss, from which any number of products can be taken.

    The coordinates of a product are A of every linear layer, B of all but the first, and the other weights' tensors.
    """

    def __init__(
        self, network: FunctionalNetwork, fast: TaskWeights, names: Collection[str], x: LayerInput, labels: Tensor
    ):
        self.linear = [name for name in names if isinstance(fast[name], TaskLinearWeight)]
        fast = {**fast, **{n: _leaf(fast[n], len(labels)) for n in names if n not in self.linear}}
        leaves = {name: _tensor(fast[name]) for name in names if name not in self.linear}
        self.recorder = LayerRecorder(self.linear)
        with torch.enable_grad():
            loss = task_losses(network(fast, x, self.recorder), labels).sum()
            inputs = {n: h for n, h in self.recorder.inputs.items() if h.requires_grad}
            # The derivative along a 0 that is added to the gradient of an input is B.
            zeros = {name: torch.zeros_like(h).requires_grad_() for name, h in inputs.items()}
            loss = loss + sum((zeros[name] * h).sum() for name, h in inputs.items())
            points = self.recorder.outputs | leaves
            gradients = torch.autograd.grad(loss, [*points.values()], create_graph=True)
        self.gradients, self.leaves = dict(zip(points, gradients, strict=True)), leaves
        self.with_b, self.arguments = [*zeros], [*self.recorder.outputs.values(), *zeros.values(), *leaves.values()]

    def times(self, direction: TaskDirections) -> Coordinates:
        """The coordinates of the product."""
        with torch.enable_grad():
            along = sum((self.gradients[n] * self._along(n, part)).sum() for n, part in direction.parts.items())
        assert isinstance(along, Tensor)
        return list(torch.autograd.grad(along, self.arguments, retain_graph=True, materialize_grads=True))

    def zeros(self) -> Coordinates:
        return [torch.zeros_like(argument) for argument in self.arguments]

    def _along(self, name: str, part: Part) -> Tensor:
        """The direction, or what it adds to the outputs of a linear layer."""
        if isinstance(part, Tensor):
            return part
        inputs = self.recorder.inputs[name]
        return torch.stack([inputs @ product.inputs.mT @ product.grad for product in part]).sum(0)

    @torch.no_grad()
    def direction(self, coordinates: Coordinates) -> TaskDirections:
        """The direction that coordinates stand for."""
        rest = iter(coordinates)
        a, b = (dict(zip(names, islice(rest, len(names)), strict=True)) for names in (self.linear, self.with_b))
        parts: dict[str, Part] = dict(zip(self.leaves, rest, strict=True))
        for name in self.linear:
            h, g = self.recorder.inputs[name].detach(), self.gradients[name].detach()
            first = LowRankGradient(a[name], h, self.recorder.cached.get(name))
            parts[name] = (first, LowRankGradient(g, b[name])) if name in b else (first,)
        return TaskDirections(parts)


def _leaf(weight: TaskWeight, tasks: int) -> TaskWeight:
    """The same weight, of which each task has its own, to be differentiated by."""
    if isinstance(weight, TaskConvWeight):
        own = weight.dense().detach().expand(tasks, *weight.shared.shape).clone().requires_grad_()
        return TaskConvWeight(weight.shared, own)
    assert isinstance(weight, TaskVector)
    return TaskVector(weight.value.detach().expand(tasks, -1, -1).clone().requires_grad_())


def _tensor(weight: TaskWeight) -> Tensor:
    if isinstance(weight, TaskVector):
        return weight.value
    assert weight.per_task is not None
    return weight.per_task
