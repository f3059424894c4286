from collections import Counter

import numpy as np
import pytest
from cases import CPU, drawings
from draws import uniform

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.alphabets import Alphabets
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks

TASK = TaskConfig(ways=3, shots=2, queries=3, rotations="class", characters="alphabet")
STREAM = (StreamPurpose.TRAINING, 42, 1)
NAMES = ["Greek", "Latin", "Greek", "Futurama", "Latin", "Greek", "Latin", "Latin", "Futurama", "Latin"]


def tasks(count: int, names: list[str] = NAMES, task: TaskConfig = TASK) -> TaskIndices:
    return sample_tasks(STREAM, count, len(names), 20, task, Alphabets(names))


def test_all_characters_of_a_task_are_distinct_and_from_one_alphabet():
    drawn = np.array(NAMES)[tasks(300).characters]
    assert all(len({*row}) == 1 for row in drawn)
    assert all(len({*row}) == 3 for row in tasks(300).characters)


def test_alphabets_with_enough_characters_are_as_likely_and_so_are_their_characters():
    characters = tasks(6000).characters
    alphabets = Counter(np.array(NAMES)[characters[:, 0]])
    assert set(alphabets) == {"Greek", "Latin"}
    assert alphabets["Greek"] / 6000 == pytest.approx(0.5, abs=0.02)
    latin = characters[np.array(NAMES)[characters[:, 0]] == "Latin"]
    for position in range(3):
        shares = np.bincount(latin[:, position], minlength=len(NAMES))[[1, 4, 6, 7, 9]] / len(latin)
        assert shares == pytest.approx(np.full(5, 0.2), abs=0.03)


def test_a_longer_draw_begins_with_the_same_tasks():
    assert tasks(5).sha256() == tasks(50)[:5].sha256()


def test_rotations_and_drawings_are_drawn_as_for_characters_of_any_alphabet():
    drawn = tasks(200)
    assert np.bincount(drawn.rotations.ravel()) / drawn.rotations.size == pytest.approx(np.full(4, 0.25), abs=0.06)
    assert all(len({*row}) == 5 for row in drawn.drawings.reshape(-1, 5))


def test_which_alphabet_it_is_tells_nothing_of_the_rotations_and_drawings():
    drawn = tasks(4000)
    latin = np.array(NAMES)[drawn.characters[:, 0]] == "Latin"
    for values, end in ((drawn.rotations, 4), (drawn.drawings[:, :, 0], 20)):
        for way in range(3):
            assert uniform(np.bincount(values[latin, way], minlength=end))


def test_alphabets_that_are_too_small_are_named():
    assert Alphabets(NAMES).too_small(3) == ["Futurama"]
    assert Alphabets(NAMES).too_small(5) == ["Futurama", "Greek"]
    assert Alphabets(NAMES).too_small(2) == []


def test_without_a_large_enough_alphabet_tasks_are_refused():
    with pytest.raises(UserError, match="6 ways from one alphabet need .* the largest of .* has 5: split.kind"):
        tasks(5, task=TASK.model_copy(update={"ways": 6}))
    with pytest.raises(UserError, match="need the alphabets of the classes, and these have none"):
        ImageStore(drawings(size=6), CPU).sample_batch(STREAM, 3, TASK)


def test_an_image_store_that_knows_the_alphabets_has_such_tasks():
    images = ImageStore(drawings(size=6, characters=10), CPU, NAMES)
    assert images.sample_tasks(STREAM, 7, TASK).sha256() == tasks(7).sha256()
    of_any = TASK.model_copy(update={"characters": "any"})
    assert images.sample_tasks(STREAM, 7, of_any).sha256() == sample_tasks(STREAM, 7, 10, 20, of_any).sha256()
