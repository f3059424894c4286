"""The scores of a meta-trained network on test tasks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaglot.core.learners.task_classifier import TaskClassifier, score_queries
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.image_store import TaskBatch
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.calibration import bin_gaps, calibration_errors
from metaglot.evaluation.metrics import INDUCTIVE, MEASURES, METRICS
from metaglot.evaluation.trained_network import TrainedNetwork
from metaglot.evaluation.worst_tenth import worst_tenth

STEPS = 10  # results show the accuracy after 0, 1, ..., 10 adaptation steps


@dataclass(frozen=True)
class EvaluationScores:
    """The scores of some test tasks.

    measures: by the keys of MEASURES; [tasks] each, and before `concatenate` what `Computation.of_batch` gives.
    """

    measures: dict[str, NDArray[np.float32]]
    predictions: NDArray[np.uint8]  # [tasks, ways * queries], transductive
    by_step_accuracy: NDArray[np.float32]  # [tasks, steps]
    by_step_loss: NDArray[np.float32]  # [tasks, steps]


class Computation(NamedTuple):
    """How a metric is computed.

    of_batch: from logits [tasks, m, ways] and labels [tasks, m] of some tasks, [tasks, ...].
    of_all: from that of all tasks to each task's number, [tasks].
    """

    of_batch: Callable[[Tensor, Tensor], Tensor]
    of_all: Callable[[NDArray[np.float32]], NDArray[np.float32]] = lambda values: values


def _accuracies(logits: Tensor, labels: Tensor) -> Tensor:
    return score_queries(logits, labels).accuracies


COMPUTE = {  # each of METRICS
    "accuracy": Computation(_accuracies),
    "loss": Computation(lambda logits, labels: score_queries(logits, labels).losses),
    "worst_tenth": Computation(_accuracies, worst_tenth),
    "calibration_error": Computation(bin_gaps, calibration_errors),
}


@torch.no_grad()
def evaluate(trained: TrainedNetwork, tasks: TaskIndices) -> Iterator[EvaluationScores]:
    """Score every task after its adaptation steps, in both modes, and after each of the first ten; by chunks."""
    algorithm, steps = trained.algorithm, trained.steps
    for batch in trained.images.batches(tasks, trained.shots, trained.chunk):
        classifiers = algorithm.adapt(trained.parameters, batch.support, batch.support_labels)
        yield _score_batch(algorithm.network, batch, islice(classifiers, max(steps, STEPS) + 1), steps)


def _score_batch(
    network: FunctionalNetwork, batch: TaskBatch, classifiers: Iterator[TaskClassifier], steps: int
) -> EvaluationScores:
    query, labels = network.prepare(batch.query), batch.query_labels
    chosen, by_step = None, []
    for step, classifier in enumerate(classifiers):
        if step <= STEPS or step == steps:
            logits = classifier(query)
            by_step.append(score_queries(logits, labels))
        if step == steps:
            chosen = logits, classifier.inductive(query)
    transductive, inductive = chosen or (logits, classifier.inductive(query))  # an algorithm without steps
    modes = (("", transductive), (INDUCTIVE, inductive))
    losses, accuracies = (torch.stack(parts, 1) for parts in zip(*by_step[: STEPS + 1], strict=True))
    return EvaluationScores(
        measures={
            mode + metric.name: _numpy(COMPUTE[metric.name].of_batch(scored, labels))
            for mode, scored in modes
            for metric in METRICS
        },
        predictions=_numpy(transductive.argmax(-1)).astype(np.uint8),
        by_step_accuracy=_numpy(accuracies),
        by_step_loss=_numpy(losses),
    )


def _numpy(values: Tensor) -> NDArray[np.float32]:
    array: NDArray[np.float32] = values.cpu().numpy()
    return array


def concatenate(parts: list[EvaluationScores]) -> EvaluationScores:
    """The scores of all tasks from those of consecutive chunks."""
    return EvaluationScores(
        measures={
            key: COMPUTE[key.removeprefix(INDUCTIVE)].of_all(np.concatenate([part.measures[key] for part in parts]))
            for key in MEASURES
        },
        predictions=np.concatenate([part.predictions for part in parts]),
        by_step_accuracy=np.concatenate([part.by_step_accuracy for part in parts]),
        by_step_loss=np.concatenate([part.by_step_loss for part in parts]),
    )
