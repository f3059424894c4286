"""Adam's steps on minibatches of the support set, for all tasks at once, with Adam's state."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Self

import numpy as np
import torch
from torch import Tensor

from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.inner_loop import TaskGradient, logits_and_gradients
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.nn.conv.task_kernels import ConvGradient
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, FunctionalNetwork, LayerRecorder, TaskWeights
from metaglot.core.nn.weight_updates import LowRankGradient
from metaglot.core.tasks.random_streams import StreamPurpose, stream_generator


@dataclass(frozen=True)
class AdamAdapted(AdaptedNetwork):
    """The network with each task's own weights, and the Adam that goes on from them."""

    inner: "AdamSteps"

    def with_new_head(self, start: TaskWeights) -> Self:
        """The steps that follow begin with the shared head."""
        self.inner.renew_head()
        return self


class AdamSteps:
    """Each task's own weights under Adam with beta1 = 0. Their derivative by the shared weights is the identity."""

    def __init__(self, network: FunctionalNetwork, parameters: MetaParameters, tasks: int, lr: float):
        self.network, self.parameters = network, {name: parameters[name] for name in network.names}
        self.shared = {name: value.detach() for name, value in self.parameters.items()}
        self.per_task = {n: w.expand(tasks, *w.shape).clone().requires_grad_() for n, w in self.shared.items()}
        self.gradients = {name: torch.empty_like(weight) for name, weight in self.per_task.items()}
        for name, weight in self.per_task.items():
            weight.grad = self.gradients[name]
        capturable = self.shared[network.names[0]].is_cuda  # by a CUDA graph
        self.adam = torch.optim.Adam(
            self.per_task.values(), lr=lr, betas=(0.0, 0.999), fused=True, capturable=capturable
        )

    def adapt(self, support: Tensor, labels: Tensor, minibatch: int) -> Iterator[AdamAdapted]:
        """Go on from the current weights. Use each classifier before asking for the next."""
        for step in count():
            yield AdamAdapted(self.network, self._fast(), support, self)
            rows = minibatch_rows(step, support.shape[1], minibatch, support.device)
            self._step(support[:, rows], labels[:, rows])

    @torch.no_grad()
    def renew_head(self) -> None:
        """Every task's head is the shared one again, and Adam has seen none of its gradients."""
        for name in (HEAD, HEAD_BIAS):
            self.per_task[name].copy_(self.shared[name])
            self.adam.state.pop(self.per_task[name], None)

    def _fast(self) -> TaskWeights:
        if not torch.is_grad_enabled():
            heads = {name: self.per_task[name].clone() for name in (HEAD, HEAD_BIAS)}  # a sequence may keep them
            return self.network.task_weights(self.shared, self.per_task | heads)
        through = {n: w.detach() + (self.parameters[n] - self.shared[n]) for n, w in self.per_task.items()}
        return self.network.task_weights(self.shared, through)

    def _step(self, x: Tensor, labels: Tensor) -> None:
        with torch.enable_grad():
            fast = self.network.task_weights(self.shared, self.per_task)
        _, gradients = logits_and_gradients(self.network, fast, LayerRecorder(self.network.names), x, labels, 0)
        for name, gradient in gradients.items():
            write_gradient(gradient, self.gradients[name])
        self.adam.step()


def write_gradient(gradient: TaskGradient, out: Tensor) -> None:
    """Write a gradient as a tensor of the weights' shape into memory that is kept, since new memory costs more."""
    if isinstance(gradient, LowRankGradient):
        gradient.dense(out)
    else:
        out.copy_((gradient.dense() if isinstance(gradient, ConvGradient) else gradient).view_as(out))


@lru_cache(maxsize=4096)
def minibatch_rows(step: int, images: int, size: int, device: torch.device) -> Tensor:
    """Positions in a support set of the minibatch of an inner step: epoch after epoch, each in a new order.

    The order is the same in every task. A support set lies class by class, so a minibatch has the same number of images
    of each class in every task; the authors shuffle each task anew.
    """
    size = min(size, images)
    epochs = range(step * size // images, ((step + 1) * size - 1) // images + 1)
    order = np.concatenate(
        [stream_generator((StreamPurpose.ADAPTING, 0, epoch)).permutation(images) for epoch in epochs]
    )
    start = step * size % images
    return torch.from_numpy(order[start : start + size]).to(device)
