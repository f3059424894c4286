"""From the accuracies on sequences to their summaries, whose units are sequences."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.confidence_intervals import sequence_interval, t_interval
from metaglot.evaluation.integer_arrays import smallest_integers
from metaglot.evaluation.result_record import SequenceMean, SequenceModes, SequenceScores, TaskInSequence
from metaglot.evaluation.sequence_accuracies import SequenceAccuracies, Values, by_task


def summarise_sequences(tasks: TaskIndices, scores: SequenceAccuracies) -> SequenceModes:
    characters = characters_of_sequences(tasks, scores)
    return SequenceModes(
        tasks_sha256=tasks.sha256(),
        transductive=_summary(scores.transductive.astype(np.float64), characters),
        inductive=_summary(scores.inductive.astype(np.float64), characters),
    )


def sequence_arrays(tasks: TaskIndices, scores: SequenceAccuracies) -> dict[str, NDArray[Any]]:
    """What the scores file holds of sequences."""
    return {
        "sequence_accuracy": scores.transductive,
        "sequence_inductive_accuracy": scores.inductive,
        "sequence_characters": smallest_integers(characters_of_sequences(tasks, scores), np.int16),
    }


def characters_of_sequences(tasks: TaskIndices, scores: SequenceAccuracies) -> NDArray[np.int64]:
    """[sequences, length, ways]"""
    return tasks.characters.reshape(*scores.transductive.shape[:2], -1)


def _summary(matrices: NDArray[np.float64], characters: NDArray[np.int64]) -> SequenceScores:
    values = by_task(matrices)
    places = [
        TaskInSequence(**{name: _mean(of_tasks[:, [i]], characters[:, [i]]) for name, of_tasks in values.items()})
        for i in range(matrices.shape[1])
    ]
    means = {name: _mean(of_tasks, characters) for name, of_tasks in values.items()}
    rows = [row[i:].tolist() for i, row in enumerate(matrices.mean(0))]
    return SequenceScores(**means, by_place=places, matrix=rows)


def _mean(values: Values, characters: NDArray[np.int64]) -> SequenceMean:
    by_character = sequence_interval(values, characters)
    return SequenceMean(mean=float(values.mean()), ci95=t_interval(values.mean(1)), ci95_by_character=by_character)
