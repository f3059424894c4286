"""Meta-training, an iteration or a span of iterations at a time."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.batched_engine import Engine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters, TaskScores
from metaglot.core.tasks.task_sampler import ImageStore, StreamPurpose, TaskBatch

LOOK_EVERY = 50  # iterations between two looks at the loss, each of which waits for the device

Look = Callable[[int, float, float], None]


class Learner:
    """What is learned, and the algorithm's optimiser that changes it by the mean meta-gradient."""

    def __init__(
        self, algorithm: MetaLearner, engine: Engine, learned: MetaParameters, meta_lr: float, iterations: int
    ):
        self.algorithm, self.engine, self.meta_lr, self.iterations = algorithm, engine, meta_lr, iterations
        self.learned = {name: value.detach().clone().requires_grad_() for name, value in learned.items()}
        self.optimiser = algorithm.optimiser(self.learned, meta_lr)
        self.iteration = 0  # the last one that is done
        self.norm: Tensor | None = None

    def step(self, batch: TaskBatch) -> TaskScores:
        """One iteration on the tasks of a meta-batch; how their queries fared before it."""
        outcome = self.differentiate(batch)
        self.update()
        return outcome

    def differentiate(self, batch: TaskBatch) -> TaskScores:
        """Find the meta-gradient, and change nothing."""
        gradient, outcome = self.engine.meta_gradient(self.learned, batch, self.iteration / self.iterations)
        for value, found in zip(self.learned.values(), gradient, strict=True):
            value.grad = found.contiguous()  # fused Adam (torch 2.14.1) takes a transposed one for another
        return outcome

    def update(self) -> None:
        """Follow the meta-gradient that was found."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.meta_lr * self.algorithm.meta_lr_factor(self.iteration / self.iterations)
        self.optimiser.step()
        self.iteration, self.norm = self.iteration + 1, None

    def gradient_norm(self) -> Tensor:
        """The norm of the last meta-gradient, []."""
        if self.norm is None:
            self.norm = torch.nn.utils.get_total_norm([v.grad for v in self.learned.values() if v.grad is not None])
        return self.norm

    def state(self) -> dict[str, Tensor]:
        """All that the next iterations depend on, and the last gradient's norm."""
        kept = {f"learned/{name}": value.detach() for name, value in self.learned.items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            kept |= {f"optimiser/{index}/{name}": value for name, value in values.items()}
        return kept | {"iteration": torch.tensor(self.iteration), "norm": self.gradient_norm().detach()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a `state` as if there had been no break."""
        optimiser = self.optimiser.state_dict()
        for key, value in state.items():
            kind, _, name = key.partition("/")
            if kind == "learned":
                self.learned[name].data.copy_(value)
            elif kind == "optimiser":
                index, _, name = name.partition("/")
                optimiser["state"].setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict(optimiser)
        self.iteration, self.norm = int(state["iteration"]), state["norm"]


@dataclass
class Training:
    """A learner and its own stream of tasks.

    undisturbed: makes what changes within it all or nothing for whoever may interrupt.
    """

    learner: Learner
    images: ImageStore
    task: TaskConfig
    meta_batch_size: int
    seed: int
    undisturbed: Callable[[], AbstractContextManager[None]] = nullcontext
    sums: Tensor = field(init=False)  # of loss and accuracy, [2], since the span began
    since: int = field(init=False, default=0)  # the iteration before the span

    def __post_init__(self) -> None:
        self.sums = torch.zeros(2, device=self.images.device)

    def batch(self, iteration: int) -> TaskBatch:
        stream = (StreamPurpose.TRAINING, self.seed, iteration)
        return self.learner.algorithm.training_batch(self.images, stream, self.task, self.meta_batch_size)

    def until(self, iteration: int, look: Look, after: Callable[[], None] = lambda: None) -> None:
        """Train up to an iteration, that one included.

        `look` is shown (iteration, loss, accuracy), means over the span so far, now and then; `after` each
        iteration is called. Raises UserError once the loss is not finite.
        """
        while self.learner.iteration < iteration:
            self._step()
            done = self.learner.iteration - self.since
            if done % LOOK_EVERY == 0 or self.learner.iteration == iteration:
                loss, accuracy = self.means()
                self._check(loss)
                look(self.learner.iteration, loss, accuracy)
            after()

    def means(self) -> tuple[float, float]:
        """Mean query loss and accuracy of the span's iterations so far."""
        loss, accuracy = (self.sums / (self.learner.iteration - self.since)).tolist()
        return loss, accuracy

    def begin_span(self) -> None:
        """Count anew from here."""
        self.sums, self.since = torch.zeros_like(self.sums), self.learner.iteration

    def _step(self) -> None:
        outcome = self.learner.differentiate(self.batch(self.learner.iteration + 1))
        with self.undisturbed():
            self.learner.update()
            self.sums += torch.stack([outcome.losses.mean(), outcome.accuracies.mean()])

    def _check(self, loss: float) -> None:
        if not torch.isfinite(torch.tensor(loss)):
            raise UserError(
                f"the loss is {loss} by iteration {self.learner.iteration} of seed {self.seed}, with a meta-gradient "
                f"of norm {self.learner.gradient_norm().item():.3g}: lower train.meta_lr or train.fast_lr"
            )
