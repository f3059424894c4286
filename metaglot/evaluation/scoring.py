"""The scores of a meta-trained network on test tasks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaglot.core.learners.meta_learner import (
    MetaLearner,
    MetaParameters,
    TaskClassifier,
    score_queries,
)
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.metrics import INDUCTIVE, MEASURES, METRICS

STEPS = 10  # results show the accuracy after 0, 1, ..., 10 adaptation steps


@dataclass(frozen=True)
class EvaluationScores:
    """The scores of some test tasks."""

    measures: dict[str, NDArray[np.float32]]  # [tasks] each, by the keys of MEASURES
    predictions: NDArray[np.uint8]  # [tasks, ways * queries], transductive
    by_step_accuracy: NDArray[np.float32]  # [tasks, steps]
    by_step_loss: NDArray[np.float32]  # [tasks, steps]


# Each metric of METRICS, [tasks]; logits [tasks, m, ways], labels [tasks, m].
COMPUTE: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "accuracy": lambda logits, labels: score_queries(logits, labels).accuracies,
    "loss": lambda logits, labels: score_queries(logits, labels).losses,
}


@torch.no_grad()
def evaluate(
    algorithm: MetaLearner,
    parameters: MetaParameters,
    images: ImageStore,
    tasks: TaskIndices,
    shots: int,
    steps: int,
    chunk: int,
) -> Iterator[EvaluationScores]:
    """Score every task after `steps` adaptation steps, in both modes, and after each of the first ten; by chunks."""
    for batch in images.batches(tasks, shots, chunk):
        classifiers = algorithm.adapt(parameters, batch.support, batch.support_labels)
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
    transductive, inductive = chosen or (
        logits,
        classifier.inductive(query),
    )  # the only one
    modes = (("", transductive), (INDUCTIVE, inductive))
    losses, accuracies = (torch.stack(parts, 1) for parts in zip(*by_step[: STEPS + 1], strict=True))
    return EvaluationScores(
        measures={
            mode + metric.name: _numpy(COMPUTE[metric.name](scored, labels))
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
    """The scores of consecutive chunks as one."""
    return EvaluationScores(
        measures={key: np.concatenate([part.measures[key] for part in parts]) for key in MEASURES},
        predictions=np.concatenate([part.predictions for part in parts]),
        by_step_accuracy=np.concatenate([part.by_step_accuracy for part in parts]),
        by_step_loss=np.concatenate([part.by_step_loss for part in parts]),
    )
