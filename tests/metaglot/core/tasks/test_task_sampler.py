from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from draws import examples, uniform
from hypothesis import given
from hypothesis import strategies as st

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.alphabets import sample_without_replacement
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks

TASK = TaskConfig(ways=5, shots=2, queries=3, rotations="class")
STREAM = (StreamPurpose.TRAINING, 42, 1)

# Of the first 32 default tasks of seed 42 on 1100 characters. It changes with the tasks of every published run.
GOLDEN = "fe406cfb55b47f7c6f28f949bef255018df97346b78378789f6aa89667c1724b"


def changed(**changes) -> TaskConfig:
    return TASK.model_copy(update=changes)


def same(first: TaskIndices, second: TaskIndices) -> bool:
    return first.sha256() == second.sha256()


@examples(40)
@given(
    st.integers(2, 12), st.integers(0, 20), st.integers(1, 19), st.integers(1, 19), st.sampled_from(["class", "task"]),
    st.integers(0, 2**32 - 1), st.integers(0, 10**8),
)  # fmt: skip
def test_a_task_has_distinct_characters_each_with_distinct_drawings(
    ways, more, shots, queries, rotations, seed, iteration
):
    queries = min(queries, 20 - shots)
    task = TaskConfig(ways=ways, shots=shots, queries=queries, rotations=rotations)
    tasks = sample_tasks((StreamPurpose.TRAINING, seed, iteration), 7, ways + more, 20, task)
    assert tasks.characters.shape == tasks.rotations.shape == (7, ways)
    assert tasks.drawings.shape == (7, ways, shots + queries)
    assert all(len({*row}) == ways for row in tasks.characters)
    assert all(len({*row}) == shots + queries for row in tasks.drawings.reshape(-1, shots + queries))
    for values, end in ((tasks.characters, ways + more), (tasks.rotations, 4), (tasks.drawings, 20)):
        assert values.min() >= 0 and values.max() < end


@examples(50)
@given(st.integers(1, 9), st.integers(0, 9), st.integers(0, 1000))
def test_draws_without_repeats_take_the_nth_of_what_is_left(count, more, seed):
    uniform = np.random.default_rng(seed).random((4, count))
    expected = []
    for row in uniform:
        left = list(range(count + more))
        expected.append([left.pop(int(u * len(left))) for u in row])
    assert sample_without_replacement(uniform, count + more).tolist() == expected


def test_draws_without_repeats_may_reach_the_last_number():
    almost_one = np.full((1, 4), np.nextafter(1, 0))
    assert sample_without_replacement(almost_one, 4).tolist() == [[3, 2, 1, 0]]
    assert sample_without_replacement(np.zeros((1, 4)), 4).tolist() == [[0, 1, 2, 3]]


def test_characters_rotations_and_drawings_are_uniform_at_every_position():
    tasks = sample_tasks(STREAM, 20_000, 12, 20, changed(ways=3))
    for position in range(3):
        assert uniform(np.bincount(tasks.characters[:, position], minlength=12))
        assert uniform(np.bincount(tasks.rotations[:, position], minlength=4))
        for n in range(5):
            assert uniform(np.bincount(tasks.drawings[:, position, n], minlength=20))


def test_what_is_drawn_together_is_independent():
    tasks = sample_tasks(STREAM, 40_000, 6, 4, changed(ways=3, shots=1, queries=1))
    orders = Counter(map(tuple, tasks.characters.tolist()))
    assert len(orders) == 6 * 5 * 4 and uniform(np.array([*orders.values()]))
    pairs = Counter(map(tuple, tasks.drawings.reshape(-1, 2).tolist()))
    assert len(pairs) == 4 * 3 and uniform(np.array([*pairs.values()]))
    characters, rotations, first = tasks.characters[:, 0], tasks.rotations, tasks.drawings[:, 0, 0]
    assert uniform(np.bincount(rotations[:, 0] * 4 + rotations[:, 1], minlength=16))
    assert uniform(np.bincount(characters * 16 + rotations[:, 0] * 4 + first, minlength=96))


def test_a_longer_draw_starts_with_the_same_tasks():
    assert same(sample_tasks(STREAM, 100, 50, 20, TASK)[:7], sample_tasks(STREAM, 7, 50, 20, TASK))


def test_streams_differ_by_purpose_seed_and_iteration_and_nothing_else():
    streams = [(purpose, seed, iteration) for purpose in StreamPurpose for seed in (0, 1, 2) for iteration in (0, 1, 2)]
    assert len({sample_tasks(stream, 4, 50, 20, TASK).sha256() for stream in streams}) == len(streams)
    np.random.seed(0)
    first = sample_tasks(STREAM, 4, 50, 20, TASK)
    np.random.seed(1)
    torch.manual_seed(1)
    assert same(first, sample_tasks(STREAM, 4, 50, 20, TASK))


def test_streams_with_one_number_in_another_place_share_no_task():
    rows = [row for stream in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (2, 1, 0)) for row in _rows(stream)]
    assert len({*rows}) == len(rows) == 40


def _rows(stream) -> list[bytes]:
    tasks = sample_tasks(stream, 10, 1000, 20, TASK)
    return [characters.tobytes() for characters in tasks.characters]


def test_the_rotation_mode_changes_the_rotations_alone():
    of_class, of_task, none = (
        sample_tasks(STREAM, 200, 50, 20, changed(rotations=rotations)) for rotations in ("class", "task", "none")
    )
    assert (of_task.rotations == of_task.rotations[:, :1]).all() and {*of_task.rotations[:, 0]} == {0, 1, 2, 3}
    assert not none.rotations.any()
    assert (of_class.rotations != of_class.rotations[:, :1]).any(axis=1).mean() > 0.9
    for other in (of_task, none):
        assert same(of_class, replace(other, rotations=of_class.rotations))


def test_the_tasks_of_a_stream_are_the_ones_that_results_were_published_on():
    default = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
    assert sample_tasks(STREAM, 32, 1100, 20, default).sha256() == GOLDEN


def test_the_digest_changes_with_every_part_of_a_task():
    tasks = sample_tasks(STREAM, 4, 50, 20, TASK)
    digests = {tasks.sha256(), tasks[:3].sha256()}
    for name in ("characters", "rotations", "drawings"):
        values = getattr(tasks, name).copy()
        values.flat[-1] += 1
        digests.add(replace(tasks, **{name: values}).sha256())
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"characters": 3}, "tasks of 5 ways need as many classes, and there are 3"),
        ({"drawings": 9}, "tasks of 5 shots and 5 queries need 10 images of a class, and there are 9"),
        ({"count": 0}, "0 tasks cannot be sampled"),
    ],
)
def test_what_cannot_be_sampled_is_an_error(asked, message):
    task = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
    given = {"count": 2, "characters": 5, "drawings": 10} | asked
    with pytest.raises(UserError, match=message):
        sample_tasks((StreamPurpose.TRAINING, 0, 1), **given, task=task)


def test_a_task_may_take_every_class_and_every_image_of_a_class():
    task = TaskConfig(ways=5, shots=5, queries=5, rotations="class")
    whole = sample_tasks((StreamPurpose.TRAINING, 0, 1), 2, 5, 10, task)
    assert sorted(whole.characters[0]) == [0, 1, 2, 3, 4] and whole.drawings.max() == 9


@examples(40)
@given(st.lists(st.integers(5, 200), min_size=5, max_size=9), st.integers(0, 2**32 - 1))
def test_classes_with_unlike_numbers_of_images_give_distinct_images_that_they_have(counts, seed):
    tasks = sample_tasks((StreamPurpose.TRAINING, seed, 1), 7, len(counts), np.array(counts), TASK)
    assert all(len({*row}) == 5 for row in tasks.drawings.reshape(-1, 5))
    assert (tasks.drawings >= 0).all() and (tasks.drawings < np.array(counts)[tasks.characters][..., None]).all()


def test_every_image_of_a_class_is_as_likely_whatever_the_other_classes_have():
    counts = np.array([5, 10, 5, 5, 100])
    tasks = sample_tasks(STREAM, 4000, 5, counts, TASK)
    drawn = tasks.drawings[tasks.characters == 1]
    assert uniform(np.bincount(drawn.ravel(), minlength=10))


def test_many_images_of_a_class_are_drawn_in_the_memory_of_few():
    tasks = sample_tasks(STREAM, 100, 5, 10_000_000, TASK)
    assert all(len({*row}) == 5 for row in tasks.drawings.reshape(-1, 5))
    assert 9_000_000 < tasks.drawings.max() < 10_000_000


def test_the_smallest_class_decides_whether_tasks_can_be():
    with pytest.raises(UserError, match="2 shots and 3 queries need 5 images of a class, and there are 4"):
        sample_tasks(STREAM, 1, 5, np.array([9, 9, 4, 9, 9]), TASK)
