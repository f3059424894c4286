"""Sequences of tasks by index, and their images."""

import numpy as np
import pytest
import torch
from cases import CHARACTERS, Case
from hypothesis import given
from hypothesis import strategies as st

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.sequences import batch_of_sequences, sample_sequences, tasks_in_order
from metaglot.core.tasks.task_sampler import sample_tasks

STREAM = (StreamPurpose.TESTING, 0, 0)
MODES = ("class", "task", "none")


def task(rotations: str = "class", ways: int = 3) -> TaskConfig:
    return TaskConfig(ways=ways, shots=2, queries=2, rotations=rotations)


@pytest.mark.parametrize("rotations", MODES)
def test_sequences_of_one_task_are_the_ordinary_tasks(rotations: str) -> None:
    assert sample_sequences(STREAM, 7, 1, 9, 20, task(rotations)).sha256() == (
        sample_tasks(STREAM, 7, 9, 20, task(rotations)).sha256()
    )


@given(st.integers(1, 6), st.integers(2, 5), st.integers(0, 8), st.sampled_from(MODES))
def test_no_character_occurs_twice_in_a_sequence(length: int, ways: int, spare: int, rotations: str) -> None:
    tasks = sample_sequences(STREAM, 4, length, length * ways + spare, 20, task(rotations, ways))
    for characters in tasks.characters.reshape(4, -1):
        assert len({*characters}) == length * ways
    assert tasks.drawings.shape == (4 * length, ways, 4)
    if rotations == "task":
        assert np.array_equal(tasks.rotations, np.repeat(tasks.rotations[:, :1], ways, axis=1))


def test_with_a_rotation_for_each_task_the_tasks_of_a_sequence_differ() -> None:
    rotations = sample_sequences(STREAM, 50, 3, 9, 20, task("task")).rotations[:, 0].reshape(50, 3)
    assert (rotations != rotations[:, :1]).any()


def test_a_sequence_that_is_too_long_is_refused() -> None:
    with pytest.raises(UserError, match="sequences of 4 tasks of 3 ways need 12 classes, and there are 11"):
        sample_sequences(STREAM, 1, 4, 11, 20, task())


def test_the_tasks_of_a_batch_of_sequences_are_in_order() -> None:
    case = Case()
    tasks = sample_sequences(STREAM, 2, 3, CHARACTERS, 20, case.task)
    images = case.images()
    flat = images.batch(tasks, case.shots)
    in_order = tasks_in_order(batch_of_sequences(images, tasks, 3, case.shots))
    assert len(in_order) == 3
    for position, batch in enumerate(in_order):
        for ours, whole in zip(batch.parts(), flat.parts(), strict=True):
            assert torch.equal(ours, whole[[position, 3 + position]])
    assert tasks_in_order(flat) == [flat]
