"""A whole iteration of our training in the original study's setting: sampling tasks, a step of Adam, validation."""

from itertools import count

import numpy as np

from benchmarks.cases import CPU, Case, initial_parameters
from benchmarks.learn2learn_example import META_LR
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import sample_tasks
from metaglot.training.meta_optimizer import MetaOptimizer
from metaglot.training.training_run import TaskStream
from metaglot.training.validation import Validation

VALIDATE_EVERY, VALIDATION_TASKS = 500, 200  # the defaults


class BatchedTraining:
    """images: all drawings, uint8 [1623, 20, 28, 28]."""

    def __init__(self, case: Case, images: np.ndarray):
        self.case, self.algorithm = case, case.algorithm()
        parameters = initial_parameters(case)
        self.optimizer = MetaOptimizer(self.algorithm, case.engine(), parameters, META_LR, iterations=10_000)
        self.stream = TaskStream(ImageStore(images[:1100], CPU), case.task, case.tasks, seed=42)
        self.validation_images = ImageStore(images[1100:1200], CPU)
        self.numbers = count(1)

    def iteration(self) -> tuple[float, float]:
        """The sums of loss and accuracy that the example computes too, without validation."""
        losses, accuracies = self.optimizer.step(self.next_batch())
        return losses.sum().item(), accuracies.sum().item()

    def next_batch(self) -> TaskBatch:
        return self.stream.batch(self.algorithm, next(self.numbers))

    def validated_iteration(self) -> tuple[float, float]:
        """An iteration of the example: as many validation tasks as training tasks, new ones each time."""
        self.iteration()
        validation = self._validation(next(self.numbers), self.case.tasks)
        return validation.loss_and_accuracy(self.algorithm, self.optimizer.parameters)

    def default_validation(self) -> None:
        """A training's validation every 500 iterations: scores on its tasks, and both meta-gradients there."""
        validation = self._validation(0, VALIDATION_TASKS)
        validation.loss_and_accuracy(self.algorithm, self.optimizer.parameters)
        validation.alignment(self.algorithm, self.optimizer.parameters, 0)

    def _validation(self, number: int, count: int) -> Validation:
        case, images, stream = self.case, self.validation_images, (StreamPurpose.VALIDATION, 42, number)
        tasks = sample_tasks(stream, count, images.characters, images.drawings, case.task)
        return Validation(images, tasks, case.shots, case.steps, case.chunk)
