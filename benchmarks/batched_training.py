"""A whole iteration of our training, at the write-up's settings: drawing tasks, one step of Adam, validation."""

from itertools import count

import numpy as np

from benchmarks.cases import CPU, Case
from benchmarks.engines import learned as initial
from benchmarks.learn2learn_example import META_LR
from metaglot.core.tasks.task_sampler import ImageStore, StreamPurpose, TaskBatch, TaskIndices, sample_tasks
from metaglot.evaluation.scoring import batches, validate
from metaglot.training.gradient_alignment import measure_alignment
from metaglot.training.meta_optimizer import Learner, Training

VALIDATE_EVERY, VALIDATION_TASKS = 500, 200  # the defaults


class Ours:
    """images: every drawing, uint8 [1623, 20, 28, 28]."""

    def __init__(self, case: Case, images: np.ndarray):
        self.case, self.algorithm = case, case.algorithm()
        self.learner = Learner(self.algorithm, case.engine(), initial(case), META_LR, iterations=10_000)
        self.training = Training(self.learner, ImageStore(images[:1100], CPU), case.task, case.tasks, seed=42)
        self.held_out = ImageStore(images[1100:1200], CPU)
        self.numbers = count(1)

    def iteration(self) -> tuple[float, float]:
        """The sums that the example keeps, but without validation."""
        losses, accuracies = self.learner.step(self.training.batch(next(self.numbers)))
        return losses.sum().item(), accuracies.sum().item()

    def draw(self) -> TaskBatch:
        """The tasks of an iteration and their images."""
        return self.training.batch(next(self.numbers))

    def validated_iteration(self) -> tuple[float, float]:
        """What the example does in an iteration: as many validation tasks as training tasks, new ones each time."""
        self.iteration()
        return self._validate(self._tasks(next(self.numbers), self.case.tasks))

    def observe(self) -> None:
        """What a training does every 500 iterations: scores on the validation tasks, and both meta-gradients there."""
        tasks = self._tasks(0, VALIDATION_TASKS)
        self._validate(tasks)
        parts = batches(self.held_out, tasks, self.case.shots, self.case.chunk)
        measure_alignment(self.algorithm, self.learner.learned, parts)

    def _validate(self, tasks: TaskIndices) -> tuple[float, float]:
        case, learned = self.case, self.learner.learned
        return validate(self.algorithm, learned, self.held_out, tasks, case.shots, case.steps, case.chunk)

    def _tasks(self, number: int, tasks: int) -> TaskIndices:
        images = self.held_out
        return sample_tasks(
            (StreamPurpose.VALIDATION, 42, number), tasks, images.characters, images.drawings, self.case.task
        )
