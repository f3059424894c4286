"""Meta-learning on sequences of tasks: the weights after every task are judged by all tasks of the sequence."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Heads, MetaBatch, Rate, TaskConfig
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.learners.task_classifier import TaskClassifier, TaskScores, score_classifier
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import RandomStream
from metaglot.core.tasks.sequences import batch_of_sequences, sample_sequences, tasks_in_order


class SequenceLearner(GradientBased):
    """Spigler 2019, "Meta-learnt priors slow down catastrophic forgetting in neural networks", as in its author's
    code (pyMeta, seq_fomaml.py).

    A sequence of n tasks is learned task after task, without a reset. w_i are the weights after task i. The meta-loss
    of a sequence is the mean query loss of all n tasks at w_n; with `end_and_each` (the author's choice) plus the mean
    over i of the query loss of task i at w_i. All tasks use the same outputs, or with `heads: several` each its own.
    Ordinary tasks are sequences of one task.
    """

    class Settings(AlgorithmSettings):
        meta_batch_size: MetaBatch | None = 5  # sequences
        meta_lr: Rate | None = 0.001
        sequence_length: Annotated[int, Field(ge=1, le=100)] = 10  # tasks
        loss: Literal["end", "end_and_each"] = "end_and_each"
        heads: Heads = "one"

    settings: Settings

    def training_batch(self, images: ImageStore, stream: RandomStream, task: TaskConfig, tasks: int) -> TaskBatch:
        length = self.settings.sequence_length
        sequences = sample_sequences(stream, tasks, length, images.characters, images.drawings, task)
        return batch_of_sequences(images, sequences, length, task.shots)

    def meta_loss(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[Tensor, TaskScores]:
        """The meta-loss of each sequence; and its mean query loss and accuracy after the last task."""
        tasks = tasks_in_order(batch)
        supports = [(task.support, task.support_labels) for task in tasks]
        after_each: list[Tensor] = []
        classifiers: list[TaskClassifier] = []
        learned = self.learn_sequence(parameters, supports, self.adaptation_steps, self.settings.heads)
        for task, classifiers in zip(tasks, learned, strict=True):
            if self.settings.loss == "end_and_each":
                after_each.append(score_classifier(classifiers[-1], task, self.inductive).losses)
        at_end = [
            score_classifier(classifier, task, self.inductive)
            for classifier, task in zip(classifiers, tasks, strict=True)
        ]
        losses = torch.stack([scores.losses for scores in at_end]).mean(0)
        accuracies = torch.stack([scores.accuracies for scores in at_end]).mean(0)
        total = losses + torch.stack(after_each).mean(0) if after_each else losses
        return total, TaskScores(losses.detach(), accuracies)
