"""Gradient steps on the support set, for all tasks at once."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import count

import torch
import torch.nn.functional as F
from torch import Tensor

from metaglot.core.nn.batch_norm_relu.autograd import Given
from metaglot.core.nn.conv.autograd import without_kernels
from metaglot.core.nn.conv.task_kernels import ConvGradient, TaskConvWeight
from metaglot.core.nn.fast_weights import TaskLinearWeight, TaskVector
from metaglot.core.nn.functional_networks import FunctionalNetwork, LayerRecorder, TaskWeight, TaskWeights, vector
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.nn.scale_derivative import scale_derivative
from metaglot.core.nn.weight_updates import LowRankGradient

TaskGradient = LowRankGradient | ConvGradient | Tensor  # Tensor [tasks, ...]: of a vector or a kernel
TaskGradients = dict[str, TaskGradient]  # by weight
InnerRate = Tensor | float | Callable[[TaskGradient], TaskGradient]
# Of each parameter that adapts: a scalar, a rate for every weight, or a function that gives the step to subtract.
InnerRates = Mapping[str, InnerRate]


def task_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Each task's mean cross-entropy, [tasks]; logits [tasks, m, ways], labels [tasks, m]."""
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view(labels.shape).mean(1)


def logits_and_gradients(
    network: FunctionalNetwork,
    fast: TaskWeights,
    recorder: LayerRecorder,
    x: LayerInput,
    labels: Tensor,
    second_order: float,
    given: Sequence[Given] | None = None,
) -> tuple[Tensor, TaskGradients]:
    """The logits on x, and each task's gradient of its loss by the fast weights that the recorder names.

    Every task has its own vectors.

    `second_order` multiplies the derivative of the gradient. So a step of rate a has the derivative
    I - second_order a H, where H is the Hessian: 1 is exact, 0 first order.
    """
    names = recorder.names
    with torch.enable_grad():
        logits = network(fast, x, recorder, given)
        loss = task_losses(logits, labels).sum()
        inputs = [recorder.outputs[n] if n in recorder.outputs else vector(fast, n) for n in names]
        with without_kernels():
            gradients = torch.autograd.grad(loss, inputs, create_graph=bool(second_order))
    return logits, {
        n: recorder.factors(n, g, second_order) if n in recorder.outputs else scale_derivative(g, second_order)
        for n, g in zip(names, gradients, strict=True)
    }


def vectors_of_each_task(fast: TaskWeights, names: Collection[str], tasks: int) -> TaskWeights:
    """The same weights, of which each task has its own copy of every named vector."""
    return {**fast, **{n: w.for_each(tasks) for n in names if isinstance(w := fast[n], TaskVector)}}


def inner_step(
    network: FunctionalNetwork, fast: TaskWeights, rates: InnerRates, x: LayerInput, labels: Tensor, second_order: float
) -> TaskWeights:
    """One gradient step of each task on x; in first order the gradient is a constant (Finn et al. 2017, 5.2)."""
    fast = vectors_of_each_task(fast, rates, len(labels))
    _, gradients = logits_and_gradients(network, fast, LayerRecorder(rates.keys()), x, labels, second_order)
    return {**fast, **{n: updated(fast[n], gradients[n], rate) for n, rate in rates.items()}}


def updated(weight: TaskWeight, gradient: TaskGradient, rate: InnerRate) -> TaskWeight:
    """The weight minus the rate times the gradient."""
    if callable(rate) and not isinstance(rate, Tensor):
        gradient, rate = rate(gradient), 1.0
    match weight, gradient:
        case TaskLinearWeight(), LowRankGradient():
            return weight.plus(gradient.times(-rate))
        case TaskConvWeight(), ConvGradient():
            return weight.plus(gradient.times(-rate))
        case TaskVector() | TaskConvWeight(), Tensor():
            return weight.plus(gradient * -rate)
    raise TypeError(f"{type(gradient).__name__} is not the gradient of a {type(weight).__name__}")


def inner_loop(
    network: FunctionalNetwork,
    fast: TaskWeights,
    rates: Callable[[int], InnerRates],
    support: LayerInput,
    labels: Tensor,
    second_order: float,
) -> Iterator[TaskWeights]:
    """Yield the fast weights before any step, after one, after two, ... without end.

    rates: the learning rates of a step, counted from 0. support [tasks, n, height, width], or as `network.prepare`
    gives it; labels [tasks, n].
    """
    support = network.prepare(support)
    for step in count():
        yield fast
        fast = inner_step(network, fast, rates(step), support, labels, second_order)
