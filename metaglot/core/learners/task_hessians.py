"""The Hessian of each task's loss at the task's own weights, times a direction.

On n rows of inputs H of a layer, with the gradient G of its outputs, the gradient of its weights is G^T H, and the
product of the Hessian with any direction is A^T H + G^T B: A and B are the derivatives of G and of H along the
direction. Only A [n, out] and B [n, in] differ from one direction to another, so a sum of many products has no higher
rank than one.

A direction D is needed only as its products with these rows, H D^T and G D. They give the next product, since the
derivative of the sum of G * (H D^T) is that of G times H D^T plus that of H times G D. And the inner product of D with
A^T H + G^T B is the sum of A * (H D^T) and of B * (G D).
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
    A direction's products with the rows are in the same order, and of the same shapes.
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
        of_linear, of_leaves = ([self.gradients[n] for n in each] for each in (self.linear, leaves))
        self.rows = [*of_linear, *inputs.values(), *of_leaves]

    def times(self, with_rows: Coordinates) -> Coordinates:
        """The coordinates of the product with a direction, of which `with_rows` are the products with the rows."""
        with torch.enable_grad():
            along = sum((rows * fixed).sum() for rows, fixed in zip(self.rows, with_rows, strict=True))
        assert isinstance(along, Tensor)
        return list(torch.autograd.grad(along, self.arguments, retain_graph=True, materialize_grads=True))

    @torch.no_grad()
    def times_rows(self, direction: TaskDirections) -> Coordinates:
        """Its products with the rows: H D^T of linear layers, G D of all but the first; the other weights' parts."""
        of_inputs, of_gradients = [], []
        for name in self.linear:
            products = direction.parts[name]
            assert not isinstance(products, Tensor)
            inputs = self.recorder.cached.get(name) or self.recorder.inputs[name]
            of_inputs.append(torch.stack([p.rows_seen_by(inputs) @ p.grad for p in products]).sum(0))
            if name in self.with_b:
                gradient = self.gradients[name]
                of_gradients.append(torch.stack([gradient @ p.grad.mT @ p.inputs for p in products]).sum(0))
        leaves = (direction.parts[name] for name in self.leaves)
        return [*of_inputs, *of_gradients, *(part for part in leaves if isinstance(part, Tensor))]

    def zeros(self) -> Coordinates:
        return [torch.zeros_like(argument) for argument in self.arguments]

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
