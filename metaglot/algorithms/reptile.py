"""Moving towards the adapted weights."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import count, islice

import numpy as np
import torch
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, MetaBatch, Rate, Shots, Steps, TaskConfig
from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.inner_loop import task_losses
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskScores, score_queries
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.task_sampler import ImageStore, RandomStream, StreamPurpose, TaskBatch, stream_generator


class Reptile(MetaLearner):
    """Each task's weights take Adam's steps on minibatches of its support set; the shared ones then move towards
    their mean, by a rate that falls to zero.

    Nichol, Achiam and Schulman 2018, "On First-Order Meta-Learning Algorithms", algorithm 2 and appendix A,
    whose settings for 5-way Omniglot are the defaults. The inner Adam has beta1 = 0 and starts anew in every
    task (in the authors' code it remembers the tasks before). `first_order` means nothing: there is no
    derivative of the adaptation to drop.
    """

    class Settings(AlgorithmSettings):
        meta_batch_size: MetaBatch | None = 5
        meta_lr: Rate | None = 1.0
        fast_lr: Rate | None = 0.001
        adaptation_steps: Steps | None = 5
        test_adaptation_steps: Steps | None = 50
        minibatch: MetaBatch = 10
        test_minibatch: MetaBatch = 5
        training_shots: Shots = 10

    label = "Reptile"

    def __init__(
        self,
        network: FunctionalNetwork,
        fast_lr: float,
        adaptation_steps: int,
        first_order: bool | None = None,
        *,
        minibatch: int = 10,
        test_minibatch: int = 5,
        training_shots: int = 10,
    ):
        """minibatch, test_minibatch: images in an inner step. training_shots: of each class, in training."""
        super().__init__(network, fast_lr, adaptation_steps)
        self.minibatch, self.test_minibatch, self.training_shots = minibatch, test_minibatch, training_shots

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        """Tasks with `training_shots`; their queries only tell how training fares."""
        queries = min(task.queries, images.drawings - self.training_shots)
        return images.sample_batch(
            stream, tasks, task.model_copy(update={"shots": self.training_shots, "queries": queries})
        )

    def optimiser(self, learned: MetaParameters, meta_lr: float) -> torch.optim.Optimizer:
        return torch.optim.SGD(learned.values(), lr=meta_lr)

    def meta_lr_factor(self, progress: float) -> float:
        return 1 - progress

    def adapt(self, learned: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        return self._adapted(learned, support, labels, self.test_minibatch)

    def _adapted(
        self, learned: MetaParameters, support: Tensor, labels: Tensor, minibatch: int
    ) -> Iterator[AdaptedNetwork]:
        shared = {name: learned[name].detach() for name in self.network.names}
        own = {n: w.expand(len(support), *w.shape).clone().requires_grad_() for n, w in shared.items()}
        on_gpu = support.is_cuda  # where it may be recorded
        inner = torch.optim.Adam(own.values(), lr=self.fast_lr, betas=(0.0, 0.999), fused=True, capturable=on_gpu)
        for step in count():
            yield AdaptedNetwork(self.network, self.network.owned(shared, own), support)
            rows = minibatch_of(step, support.shape[1], minibatch, support.device)
            with torch.enable_grad():
                logits = self.network(self.network.owned(shared, own), support[:, rows])
                loss = task_losses(logits, labels[:, rows]).sum()
            for weight, found in zip(own.values(), torch.autograd.grad(loss, [*own.values()]), strict=True):
                weight.grad = found.contiguous()  # fused Adam (torch 2.14.1) takes a transposed one for another
            inner.step()

    @torch.no_grad()
    def meta_gradient(self, learned: MetaParameters, batch: TaskBatch) -> tuple[list[Tensor], TaskScores]:
        """The way back from the mean of the adapted weights: a step of rate 1 against it would end there."""
        made = self._adapted(learned, batch.support, batch.support_labels, self.minibatch)
        *_, end = islice(made, self.adaptation_steps + 1)
        means = {name: weight.dense().mean(0) for name, weight in end.fast.items()}
        return [w - means.get(name, w) for name, w in learned.items()], score_queries(
            end(batch.query), batch.query_labels
        )


@lru_cache(maxsize=4096)
def minibatch_of(step: int, images: int, size: int, device: torch.device) -> Tensor:
    """Positions in a support set of the minibatch of an inner step: all in some order, then all in another, ...

    The same in every task, whose drawings are in random order already (the authors shuffle each anew).
    """
    size = min(size, images)
    rounds = range(step * size // images, ((step + 1) * size - 1) // images + 1)
    order = np.concatenate(
        [stream_generator((StreamPurpose.ADAPTING, 0, number)).permutation(images) for number in rounds]
    )
    start = step * size % images
    return torch.from_numpy(order[start : start + size]).to(device)
