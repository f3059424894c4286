"""One meta-training from its first iteration to its last, with validation along the way."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.common.run_records import AlignmentRow, HistoryRow
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.training.early_stopping import EarlyStopping
from metaglot.training.meta_optimizer import MetaOptimizer
from metaglot.training.validation import Validation

REPORT_EVERY = 50  # iterations between two reads of the loss, each of which waits for the device

ProgressCallback = Callable[[int, float, float], None]  # iteration, loss, accuracy


class Timer(Protocol):
    """Counts the seconds of each phase."""

    seconds: dict[str, float]

    def phase(self, name: str) -> AbstractContextManager[None]: ...


@dataclass(frozen=True)
class TaskStream:
    """The training tasks: the meta-batch of an iteration depends on the seed and the iteration alone."""

    images: ImageStore
    task: TaskConfig
    meta_batch_size: int
    seed: int

    def batch(self, algorithm: MetaLearner, iteration: int) -> TaskBatch:
        stream = (StreamPurpose.TRAINING, self.seed, iteration)
        return algorithm.training_batch(self.images, stream, self.task, self.meta_batch_size)


class TrainingRun:
    """Trains, and validates every `validate_every` iterations.

    Validation changes no parameter; for an algorithm with `patience` it decides when training stops. parity: how both
    engines' first meta-gradients compare. started_at: ms since the epoch, UTC. defer_signals: a context in which no
    signal interrupts, for changes that belong together.
    """

    def __init__(
        self,
        optimizer: MetaOptimizer,
        stream: TaskStream,
        validation: Validation,
        validate_every: int,
        timer: Timer,
        parity: dict[str, Any] | None = None,
        started_at: int = 0,
        defer_signals: Callable[[], AbstractContextManager[None]] = nullcontext,
    ):
        self.optimizer, self.algorithm = optimizer, optimizer.algorithm
        self.stream, self.validation, self.validate_every = stream, validation, validate_every
        self.timer, self.parity, self.started_at, self.defer_signals = timer, parity, started_at, defer_signals
        self.history: list[HistoryRow] = []
        self.alignment: list[AlignmentRow] = []
        self.early_stopping = EarlyStopping(self.algorithm.patience)
        self.resumed = 0  # times
        self.sums = torch.zeros(2, device=self.device)  # of loss and accuracy since the last validation

    @property
    def device(self) -> torch.device:
        return self.stream.images.device

    @property
    def parameters(self) -> MetaParameters:
        """The result: the last parameters, or with early stopping the best."""
        return self.early_stopping.best or self.optimizer.parameters

    @property
    def is_finished(self) -> bool:
        return self.optimizer.iteration >= self.optimizer.iterations or self.early_stopping.should_stop

    @property
    def iterations_since_validation(self) -> int:
        return self.optimizer.iteration - (self.history[-1].iteration if self.history else 0)

    def run(self, on_progress: ProgressCallback, after_iteration: Callable[[], None]) -> Iterator[HistoryRow]:
        """Train to the end from the current iteration; yield each row of the history once it is there.

        on_progress: called now and then with the iteration, and the mean loss and accuracy since the last validation.
        Without iterations there is no validation either.
        """
        while self.optimizer.iterations:
            if self._validation_is_due():
                self._validate()
                yield self.history[-1]
            if self.is_finished:
                return
            with self.timer.phase("train"):
                end = (self.optimizer.iteration // self.validate_every + 1) * self.validate_every
                self.train_until(min(end, self.optimizer.iterations), on_progress, after_iteration)

    def train_until(
        self, iteration: int, on_progress: ProgressCallback, after_iteration: Callable[[], None] = lambda: None
    ) -> None:
        """Train up to and including an iteration. Raises UserError once the loss is not finite."""
        while self.optimizer.iteration < iteration:
            self._iterate()
            if self.iterations_since_validation % REPORT_EVERY == 0 or self.optimizer.iteration == iteration:
                loss, accuracy = self.mean_loss_and_accuracy()
                self._check_finite("loss", loss)
                on_progress(self.optimizer.iteration, loss, accuracy)
            after_iteration()

    def mean_loss_and_accuracy(self) -> tuple[float, float]:
        """The training tasks' mean query loss and accuracy since the last validation."""
        loss, accuracy = (self.sums / self.iterations_since_validation).tolist()
        return loss, accuracy

    def _iterate(self) -> None:
        scores = self.optimizer.compute_gradient(self.stream.batch(self.algorithm, self.optimizer.iteration + 1))
        with self.defer_signals():
            self.optimizer.apply_gradient()
            self.sums += torch.stack([scores.losses.mean(), scores.accuracies.mean()])

    def _check_finite(self, name: str, loss: float) -> None:
        if not math.isfinite(loss):
            raise UserError(
                f"the {name} is {loss} by iteration {self.optimizer.iteration} of seed {self.stream.seed}, with a "
                f"meta-gradient of norm {self.optimizer.gradient_norm().item():.3g}: lower train.meta_lr or "
                "train.fast_lr"
            )

    def _validation_is_due(self) -> bool:
        iteration = self.optimizer.iteration
        if self.history and not self.iterations_since_validation:
            return False
        return iteration % self.validate_every == 0 or iteration == self.optimizer.iterations

    def _validate(self) -> None:
        """Add a row to the history and the rows of the alignment. Raises UserError if the loss is not finite."""
        iteration, seconds = self.optimizer.iteration, round(self.timer.seconds["train"], 3)
        train_loss, train_accuracy = self.mean_loss_and_accuracy() if iteration else (None, None)
        gradient_norm = self.optimizer.gradient_norm().item() if iteration else None
        with self.timer.phase("validation"):
            loss, accuracy = self.validation.loss_and_accuracy(self.algorithm, self.optimizer.parameters)
            self._check_finite("validation loss", loss)
            alignment = self.validation.alignment(self.algorithm, self.optimizer.parameters, iteration)
        row = HistoryRow.model_construct(
            iteration=iteration,
            seconds=seconds,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            validation_loss=loss,
            validation_accuracy=accuracy,
            gradient_norm=gradient_norm,
        )
        with self.defer_signals():
            self.early_stopping.observe(accuracy, self.optimizer.parameters)
            self.alignment += alignment
            self.history.append(row)
            self.sums = torch.zeros_like(self.sums)

    def state(self) -> dict[str, Tensor]:
        """Everything that the rest of the training depends on, and all measurements so far."""
        record = {
            "history": [row.model_dump() for row in self.history],
            "alignment": self.alignment,
            "started_at": self.started_at,
            "seconds": self.timer.seconds,
            "resumed": self.resumed,
        }
        encoded = torch.frombuffer(bytearray(json.dumps(record).encode()), dtype=torch.uint8)
        best = {f"best/{name}": value for name, value in self.early_stopping.best.items()}
        return self.optimizer.state() | best | {"sums": self.sums, "record": encoded}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a `state` as if training had not stopped."""
        self.optimizer.restore(state)
        record = json.loads(bytes(state["record"].tolist()))
        self.history = [HistoryRow.model_construct(**row) for row in record["history"]]
        self.alignment = [AlignmentRow(*row) for row in record["alignment"]]
        self.started_at = record["started_at"]
        for name, spent in record["seconds"].items():
            self.timer.seconds[name] += spent
        self.sums = state["sums"].to(self.device)
        best = {n.removeprefix("best/"): v.to(self.device) for n, v in state.items() if n.startswith("best/")}
        for row in record["history"]:
            self.early_stopping.observe(row["validation_accuracy"], best)
        self.resumed = record["resumed"] + (not self.is_finished)
