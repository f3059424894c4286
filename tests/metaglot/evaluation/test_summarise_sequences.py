"""Each mode is summarised from its own accuracies, with intervals whose units are sequences and characters."""

from dataclasses import replace

import numpy as np
import pytest

from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import sample_sequences
from metaglot.evaluation.confidence_intervals import sequence_interval, t_interval
from metaglot.evaluation.sequence_accuracies import SequenceAccuracies
from metaglot.evaluation.summarise_sequences import sequence_arrays, summarise_sequences

LENGTH, COUNT = 3, 20
TASK = TaskConfig(ways=5, shots=1, queries=1, rotations="class")
TASKS = sample_sequences((StreamPurpose.TESTING, 0, 2), COUNT, LENGTH, 30, 20, TASK)
CHARACTERS = TASKS.characters.reshape(COUNT, LENGTH, 5)
LATER = np.where(np.tri(LENGTH, k=-1), np.nan, np.random.default_rng(0).random((2, COUNT, LENGTH, LENGTH)))
SCORES = SequenceAccuracies(*LATER.astype(np.float32))


@pytest.mark.parametrize("mode", ["transductive", "inductive"])
def test_every_mean_has_the_intervals_of_its_own_accuracies(mode: str) -> None:
    matrices, summary = getattr(SCORES, mode).astype(float), getattr(summarise_sequences(TASKS, SCORES), mode)
    final, learning = matrices[:, :, -1], np.stack([matrices[:, i, i] for i in range(LENGTH)], axis=1)
    for name, values in {"final": final, "learning": learning, "forgetting": learning - final}.items():
        parts = [(summary, slice(None)), *((place, [i]) for i, place in enumerate(summary.by_place))]
        for mean, of_tasks in ((getattr(part, name), part_of) for part, part_of in parts):
            chosen = values[:, of_tasks]
            assert mean.mean == pytest.approx(chosen.mean())
            assert mean.ci95 == pytest.approx(t_interval(chosen.mean(1)))
            assert mean.ci95_by_character == pytest.approx(sequence_interval(chosen, CHARACTERS[:, of_tasks]))


@pytest.mark.parametrize("more", [0, 40_000])
def test_the_scores_file_holds_both_modes_and_the_characters_whatever_their_numbers(more: int) -> None:
    arrays = sequence_arrays(replace(TASKS, characters=TASKS.characters + more), SCORES)
    assert np.array_equal(arrays["sequence_accuracy"], SCORES.transductive, equal_nan=True)
    assert np.array_equal(arrays["sequence_inductive_accuracy"], SCORES.inductive, equal_nan=True)
    assert np.array_equal(arrays["sequence_characters"], CHARACTERS + more)
