"""One training from its start to its end: what it learns, and what is observed of it on the way."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.task_sampler import ImageStore, TaskIndices
from metaglot.evaluation.scoring import batches, validate
from metaglot.training.gradient_alignment import GradientAlignment, measure_alignment
from metaglot.training.meta_optimizer import Look, Training

HISTORY = tuple("iteration seconds train_loss train_accuracy validation_loss validation_accuracy gradient_norm".split())
ALIGNMENT = ("iteration", *GradientAlignment._fields)


@dataclass(frozen=True)
class Validation:
    """The validation tasks, always the same ones, and how they are scored."""

    images: ImageStore
    tasks: TaskIndices
    shots: int
    steps: int
    chunk: int

    def scores(self, algorithm: MetaLearner, learned: MetaParameters) -> tuple[float, float]:
        """Mean query loss and accuracy."""
        return validate(algorithm, learned, self.images, self.tasks, self.shots, self.steps, self.chunk)

    def alignment(self, algorithm: MetaLearner, learned: MetaParameters) -> list[GradientAlignment]:
        return measure_alignment(algorithm, learned, batches(self.images, self.tasks, self.shots, self.chunk))


class Session:
    """Trains, and every `validate_every` iterations observes, which changes nothing that is learned.

    phase: counts the time of a block under a name. seconds: what it has counted, by name.
    """

    def __init__(
        self,
        training: Training,
        validation: Validation,
        validate_every: int,
        phase: Callable[[str], AbstractContextManager[None]],
        seconds: dict[str, float],
    ):
        self.training, self.validation, self.every = training, validation, validate_every
        self.phase, self.seconds = phase, seconds
        self.learner, self.algorithm = training.learner, training.learner.algorithm
        self.history: list[tuple[Any, ...]] = []
        self.alignments: list[tuple[Any, ...]] = []
        self.best: dict[str, Tensor] = {}  # where training ends for want of better weights
        self.stale = 0  # validations in a row without better ones
        self.resumed = 0  # times

    @property
    def learned(self) -> MetaParameters:
        """What the training has come to: the last weights, or the best."""
        return self.best or self.learner.learned

    @property
    def is_over(self) -> bool:
        patience = self.algorithm.patience
        return self.learner.iteration >= self.learner.iterations or patience is not None and self.stale >= patience

    def run(self, look: Look, after: Callable[[], None]) -> Iterator[tuple[Any, ...]]:
        """Train to the end, from wherever this is; each row of the history as it comes.

        Without iterations there is nothing to observe. `look` and `after`: as in `Training.until`.
        """
        while self.learner.iterations:
            if self._is_due():
                self._observe()
                yield self.history[-1]
            if self.is_over:
                return
            with self.phase("train"):
                end = (self.learner.iteration // self.every + 1) * self.every
                self.training.until(min(end, self.learner.iterations), look, after)

    def _is_due(self) -> bool:
        iteration = self.learner.iteration
        if self.history and self.history[-1][0] == iteration:
            return False
        return iteration % self.every == 0 or iteration == self.learner.iterations

    def _observe(self) -> None:
        """Add a row to the history: scores on the validation tasks."""
        iteration, at = self.learner.iteration, round(self.seconds["train"], 3)
        means = (*self.training.means(), self.learner.gradient_norm().item()) if iteration else ("", "", "")
        with self.phase("validation"):
            loss, accuracy = self.validation.scores(self.algorithm, self.learner.learned)
            found = self.validation.alignment(self.algorithm, self.learner.learned)
        with self.training.undisturbed():
            self._keep_best(accuracy)
            self.alignments += [(iteration, *row) for row in found]
            self.history.append((iteration, at, *means[:2], loss, accuracy, means[2]))
            self.training.begin_span()

    def _keep_best(self, accuracy: float) -> None:
        if self.algorithm.patience is None:
            return
        self.stale += 1
        if accuracy > max((row[5] for row in self.history), default=-1):
            self.best = {name: value.detach().clone() for name, value in self.learner.learned.items()}
            self.stale = 0

    def state(self) -> dict[str, Tensor]:
        """All that the rest of the training depends on, and what was observed so far."""
        observed = [self.history, self.alignments, self.seconds, self.stale, self.resumed, self.training.since]
        record = torch.frombuffer(bytearray(json.dumps(observed).encode()), dtype=torch.uint8)
        best = {f"best/{name}": value for name, value in self.best.items()}
        return self.learner.state() | best | {"sums": self.training.sums, "observed": record}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a `state` as if there had been no break."""
        self.learner.restore(state)
        history, alignments, seconds, self.stale, resumed, self.training.since = json.loads(
            bytes(state["observed"].tolist())
        )
        self.history, self.alignments = [tuple(row) for row in history], [tuple(row) for row in alignments]
        for name, spent in seconds.items():
            self.seconds[name] += spent
        device = self.training.images.device
        self.training.sums = state["sums"].to(device)
        self.best = {name[5:]: value.to(device) for name, value in state.items() if name.startswith("best/")}
        self.resumed = resumed + (not self.is_over)
