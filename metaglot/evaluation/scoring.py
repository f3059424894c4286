"""The scores of a meta-trained network on test tasks."""

from collections.abc import Iterator
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
    TaskScores,
    score_queries,
)
from metaglot.core.nn.functional_networks import FunctionalNetwork
from metaglot.core.tasks.task_sampler import ImageStore, TaskBatch, TaskIndices

STEPS = 10  # results show the accuracy after 0, 1, ..., 10 adaptation steps


@dataclass(frozen=True)
class EvaluationScores:
    """Scores of each task; arrays of [tasks], but for those named."""

    accuracy: NDArray[np.float32]
    loss: NDArray[np.float32]
    inductive_accuracy: NDArray[np.float32]
    inductive_loss: NDArray[np.float32]
    predictions: NDArray[np.uint8]  # [tasks, ways * queries], transductive
    by_step_accuracy: NDArray[np.float32]  # [tasks, steps]
    by_step_loss: NDArray[np.float32]  # [tasks, steps]


@torch.no_grad()
def evaluate(
    algorithm: MetaLearner,
    learned: MetaParameters,
    images: ImageStore,
    tasks: TaskIndices,
    shots: int,
    steps: int,
    chunk: int,
) -> Iterator[EvaluationScores]:
    """Score every task after `steps` adaptation steps, in both modes, and after each of the first ten; by chunks."""
    for batch in images.batches(tasks, shots, chunk):
        classifiers = algorithm.adapt(learned, batch.support, batch.support_labels)
        yield _scores(algorithm.network, batch, islice(classifiers, max(steps, STEPS) + 1), steps)


def _scores(
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
    logits, alone = chosen or (logits, classifier.inductive(query))  # the only one, where nothing adapts in steps
    main, inductive = score_queries(logits, labels), score_queries(alone, labels)
    stacked = TaskScores(*(torch.stack(parts, 1) for parts in zip(*by_step[: STEPS + 1], strict=True)))
    return EvaluationScores(
        accuracy=_numpy(main.accuracies),
        loss=_numpy(main.losses),
        inductive_accuracy=_numpy(inductive.accuracies),
        inductive_loss=_numpy(inductive.losses),
        predictions=_numpy(logits.argmax(-1)).astype(np.uint8),
        by_step_accuracy=_numpy(stacked.accuracies),
        by_step_loss=_numpy(stacked.losses),
    )


def _numpy(x: Tensor) -> NDArray[np.float32]:
    found: NDArray[np.float32] = x.cpu().numpy()
    return found


def concatenate(parts: list[EvaluationScores]) -> EvaluationScores:
    """The scores of consecutive chunks as one."""
    return EvaluationScores(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in EvaluationScores.__dataclass_fields__)
    )
