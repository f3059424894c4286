"""Gradient steps on the support set, for all tasks at once."""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import count

import torch
import torch.nn.functional as F
from torch import Tensor

from metaglot.core.nn.conv.autograd import without_kernels
from metaglot.core.nn.conv.task_kernels import Correlation, FastKernel
from metaglot.core.nn.fast_weights import FastMatrix, FastVector, Outer, Rows
from metaglot.core.nn.functional_networks import Fast, Network, Tape, Weight, vector

Rates = Mapping[str, Tensor | float]  # of the parameters that adapt: a scalar, or one of the fast weight's own shape


def task_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Each task's mean cross-entropy, [tasks]; logits [tasks, m, ways], labels [tasks, m]."""
    losses = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
    return losses.view(labels.shape).mean(1)


def gradients(
    network: Network, fast: Fast, names: Collection[str], x: Rows, labels: Tensor, second_order: bool
) -> dict[str, Outer | Correlation | Tensor]:
    """The gradient of each task's loss on x, of the named fast weights; differentiable if of second order."""
    tape = Tape(names)
    with torch.enable_grad():
        loss = task_losses(network(fast, x, tape), labels).sum()
        watched = [tape.outputs[n] if n in tape.outputs else vector(fast, n) for n in names]
        with without_kernels():
            found = torch.autograd.grad(loss, watched, create_graph=second_order)
    grads = zip(names, found, strict=True)
    return {n: tape.factors(n, g, second_order) if n in tape.outputs else g for n, g in grads}


def step(network: Network, fast: Fast, rates: Rates, x: Rows, labels: Tensor, second_order: bool) -> Fast:
    """One gradient step of each task on x; of first order, its gradient is a constant (Finn et al. 2017, 5.2)."""
    own = {n: w.for_each(len(labels)) for n in rates if isinstance(w := fast[n], FastVector)}
    fast = {**fast, **own}
    found = gradients(network, fast, rates.keys(), x, labels, second_order)
    return {**fast, **{n: updated(fast[n], found[n], rate) for n, rate in rates.items()}}


def updated(weight: Weight, gradient: Outer | Correlation | Tensor, rate: Tensor | float) -> Weight:
    match weight, gradient:
        case FastMatrix(), Outer():
            return weight.plus(gradient.times(-rate))
        case FastKernel(), Correlation():
            return weight.plus(gradient.times(-rate))
        case FastVector(), Tensor():
            return weight.plus(gradient * -rate)
    raise TypeError(f"{type(gradient).__name__} is not the gradient of a {type(weight).__name__}")


def steps(
    network: Network, fast: Fast, rates: Callable[[int], Rates], support: Rows, labels: Tensor, second_order: bool
) -> Iterator[Fast]:
    """The fast weights before any step, after one, after two, ... for as long as asked.

    rates: of a step, counted from 0. support [tasks, n, height, width], or as `network.prepare` gives it;
    labels [tasks, n].
    """
    support = network.prepare(support)
    for number in count():
        yield fast
        fast = step(network, fast, rates(number), support, labels, second_order)
