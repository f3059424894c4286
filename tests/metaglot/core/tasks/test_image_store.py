from collections.abc import Sequence

import numpy as np
import pytest
import torch
from cases import CPU, drawings
from draws import uniform

from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks

TASK = TaskConfig(ways=5, shots=2, queries=3, rotations="class")
STREAM = (StreamPurpose.TRAINING, 42, 1)


def check_images(batch: TaskBatch, tasks: TaskIndices, of_each: Sequence[np.ndarray]) -> None:
    """A batch shows the drawings of `tasks`, turned, from those of each class."""
    for t in range(5):
        for way in range(5):
            character, turn = tasks.characters[t, way], tasks.rotations[t, way]
            turned = np.stack([np.rot90(of_each[character][d], turn) for d in tasks.drawings[t, way]])
            shown = torch.cat([batch.support[t, way * 2 : way * 2 + 2], batch.query[t, way * 3 : way * 3 + 3]])
            torch.testing.assert_close(shown, torch.tensor(turned).float() / 255)


@pytest.mark.parametrize("rotations", ["class", "task", "none"])
def test_images_are_the_right_drawings_turned_and_labels_the_position(rotations):
    raw = drawings(size=6, characters=8)
    tasks = sample_tasks(STREAM, 5, 8, 20, TASK.model_copy(update={"rotations": rotations}))
    batch = ImageStore(raw, CPU).batch(tasks, TASK.shots)
    assert batch.support.shape == (5, 5 * 2, 6, 6) and batch.query.shape == (5, 5 * 3, 6, 6)
    check_images(batch, tasks, raw)
    assert (batch.support_labels == torch.arange(5).repeat_interleave(2)).all()
    assert (batch.query_labels == torch.arange(5).repeat_interleave(3)).all()


@pytest.mark.parametrize("channels", [(), (3,)])
def test_images_of_classes_with_unlike_numbers_are_each_class_s_own(channels):
    counts = np.array([6, 5, 9, 7, 5, 8])
    raw = np.random.default_rng(0).integers(0, 256, (counts.sum(), 6, 6, *channels), dtype=np.uint8)
    store = ImageStore(raw, CPU, counts=counts)
    assert (store.characters, store.fewest_drawings) == (6, 5)
    tasks = sample_tasks(STREAM, 5, store.characters, store.drawings, TASK)
    check_images(store.batch(tasks, TASK.shots), tasks, np.split(raw, counts.cumsum()[:-1]))


def test_chunks_are_the_batch_in_order():
    batch = ImageStore(drawings(size=4), CPU).batch(sample_tasks(STREAM, 7, 9, 20, TASK), 2)
    chunks = batch.chunks(3)
    assert [len(chunk) for chunk in chunks] == [3, 3, 1]
    joined = [torch.cat(parts) for parts in zip(*(chunk.parts() for chunk in chunks), strict=True)]
    assert all(torch.equal(a, b) for a, b in zip(joined, batch.parts(), strict=True))


@pytest.mark.parametrize("rotations", [1, 4])
def test_a_minibatch_draws_every_image_of_every_class_equally_often(rotations):
    raw = drawings(size=6, characters=3)
    images, classes = ImageStore(raw, CPU).minibatch(STREAM, 60 * 20 * rotations, rotations)
    every = np.concatenate([np.rot90(raw, turn, axes=(2, 3)) for turn in range(rotations)])  # [classes, drawings, 6, 6]
    of_class = torch.from_numpy(every).float()[classes] / 255
    matches = (of_class - images[:, None]).abs().amax((2, 3)) < 1e-6
    assert (matches.sum(1) == 1).all()
    assert uniform(np.bincount(classes * 20 + matches.int().argmax(1), minlength=every.shape[0] * 20))


def test_a_minibatch_of_classes_with_unlike_numbers_is_labelled_by_class_and_rotation():
    counts = np.array([1, 3, 2])
    raw = np.repeat(np.array([10, 20, 30], np.uint8), counts)[:, None, None] * np.tri(4, dtype=np.uint8)
    images, classes = ImageStore(raw, CPU, counts=counts).minibatch(STREAM, 200, 4)
    shade = (images.amax((1, 2)) * 255).round().long() // 10 - 1
    corner = images[:, -1, 0].gt(0).long() + 2 * images[:, 0, 0].gt(0) + 4 * images[:, 0, -1].gt(0)
    assert torch.equal(classes % 3, shade) and len({*classes.tolist()}) == 12
    assert len({*zip((classes // 3).tolist(), corner.tolist(), strict=True)}) == 4
