"""What a task is: which characters, in which turn, which drawings; and the images that go with it.

Tasks are a function of a stream (purpose, seed, iteration) and their position in it alone. They are drawn
for a whole meta-batch without a loop over tasks, and the images of all four turns lie ready in memory, so
that a batch is one gather.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig

Ints = NDArray[np.int64]
ROTATIONS = 4  # quarter turns, anticlockwise


class StreamPurpose(IntEnum):
    """Keeps streams apart that serve different ends, whatever their seeds."""

    TRAINING, VALIDATION, TESTING, ADAPTING = range(4)


RandomStream = tuple[StreamPurpose, int, int]  # purpose, seed, iteration


def stream_generator(stream: RandomStream) -> np.random.Generator:
    """A stream's own random numbers, by a counter (Philox): the same on every machine."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(stream)))


@dataclass(frozen=True)
class TaskIndices:
    """A batch of tasks by index: the first `shots` drawings of a character are its support, the rest its queries."""

    characters: Ints  # [tasks, ways], distinct in a task; the position is the label
    turns: Ints  # [tasks, ways], quarter turns
    drawings: Ints  # [tasks, ways, shots + queries], distinct for a character

    def __len__(self) -> int:
        return len(self.characters)

    def __getitem__(self, part: slice) -> "TaskIndices":
        return TaskIndices(self.characters[part], self.turns[part], self.drawings[part])

    def sha256(self) -> str:
        """A digest of everything that defines these tasks, given the characters they index."""
        digest = hashlib.sha256()
        for values in (self.characters, self.turns, self.drawings):
            digest.update(repr(values.shape).encode() + values.astype("<i8").tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class TaskBatch:
    """The images of some tasks: float, ink = 1, [tasks, ways * shots or queries, size, size]; labels [tasks, same]."""

    support: Tensor
    support_labels: Tensor
    query: Tensor
    query_labels: Tensor

    def __len__(self) -> int:
        return len(self.support)

    def chunks(self, tasks: int) -> "list[TaskBatch]":
        """The same batch, at most so many tasks at a time."""
        return [TaskBatch(*part) for part in zip(*(x.split(tasks) for x in self.parts()), strict=True)]

    def parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        return self.support, self.support_labels, self.query, self.query_labels

    def double(self) -> "TaskBatch":
        return TaskBatch(self.support.double(), self.support_labels, self.query.double(), self.query_labels)


def sample_tasks(stream: RandomStream, count: int, characters: int, drawings: int, task: TaskConfig) -> TaskIndices:
    """The first `count` tasks of a stream, on so many characters with so many drawings each.

    A longer draw starts with the same tasks: each takes its own fixed share of the generator's numbers. Raises
    UserError if there are fewer characters than ways, or fewer drawings than shots and queries.
    """
    ways, used = task.ways, task.shots + task.queries
    if ways > characters:
        raise UserError(f"tasks of {ways} ways need as many classes, and there are {characters}")
    if used > drawings:
        raise UserError(
            f"tasks of {task.shots} shots and {task.queries} queries need {used} images of a class, and there are "
            f"{drawings}"
        )
    if count < 1:
        raise UserError(f"{count} tasks cannot be sampled: ask for one at least")
    share = stream_generator(stream).random((count, ways * (2 + drawings)))
    chosen = sample_without_replacement(share[:, :ways], characters)
    order = share[:, 2 * ways :].reshape(count, ways, drawings).argsort(-1)[:, :, :used]
    return TaskIndices(chosen, _turns(share[:, ways : 2 * ways], task.rotations), order)


def sample_without_replacement(uniform: NDArray[np.float64], of: int) -> Ints:
    """Ordered draws without repeats from range(of), one a row: uniform [rows, draws] in [0, 1) -> [rows, draws].

    The i-th number picks among the of - i values that are left, each as likely: it is their rank, counted
    past the taken ones.
    """
    ranks = (uniform * (of - np.arange(uniform.shape[1]))).astype(np.int64)
    for i in range(1, ranks.shape[1]):
        taken = np.sort(ranks[:, :i], axis=1) - np.arange(i)
        ranks[:, i] += (taken <= ranks[:, i : i + 1]).sum(1)
    return ranks


def _turns(uniform: NDArray[np.float64], rotations: str) -> Ints:
    turns = (uniform * ROTATIONS).astype(np.int64)
    if rotations == "task":
        turns[:] = turns[:, :1]
    return turns if rotations != "none" else np.zeros_like(turns)


class ImageStore:
    """Every drawing of some characters in all four turns, as bytes on a device."""

    def __init__(self, images: NDArray[np.uint8], device: torch.device):
        """images [characters, drawings, size, size], 255 = ink."""
        turned = np.stack([np.rot90(images, turn, axes=(2, 3)) for turn in range(ROTATIONS)])
        self.characters, self.drawings, self.size, _ = images.shape
        self.device = device
        self.bytes = torch.from_numpy(turned.reshape(-1, self.size**2)).to(device)

    def sample_batch(self, stream: RandomStream, count: int, task: TaskConfig) -> TaskBatch:
        """The images of the first `count` tasks of a stream."""
        return self.batch(sample_tasks(stream, count, self.characters, self.drawings, task), task.shots)

    def minibatch(self, stream: RandomStream, count: int, turns: int) -> tuple[Tensor, Tensor]:
        """Drawings picked at random with repeats: images [count, size, size] and classes [count].

        A class is a character in one of its first `turns` turns, numbered from 0 to characters * turns.
        """
        rows = stream_generator(stream).integers(turns * self.characters * self.drawings, size=(1, 1, count))
        images, _ = self._gather(rows)
        return images[0], torch.from_numpy(rows[0, 0] // self.drawings).to(self.device)

    def batch(self, tasks: TaskIndices, shots: int) -> TaskBatch:
        """The images of these tasks, float32."""
        rows = (tasks.turns * self.characters + tasks.characters)[..., None] * self.drawings + tasks.drawings
        support, query = (self._gather(part) for part in (rows[..., :shots], rows[..., shots:]))
        return TaskBatch(*support, *query)

    def batches(self, tasks: TaskIndices, shots: int, chunk: int) -> Iterator[TaskBatch]:
        """The images of these tasks, at most `chunk` tasks at a time."""
        for start in range(0, len(tasks), chunk):
            yield self.batch(tasks[start : start + chunk], shots)

    def _gather(self, rows: Ints) -> tuple[Tensor, Tensor]:
        """rows [tasks, ways, drawings] of `bytes` -> images and labels [tasks, ways * drawings, ...]."""
        tasks, ways, each = rows.shape
        index = torch.from_numpy(np.ascontiguousarray(rows).reshape(-1))
        if self.device.type == "cuda":
            index = index.pin_memory().to(self.device, non_blocking=True)
        pixels = self.bytes.index_select(0, index.to(self.device)).float().mul_(1 / 255)
        labels = torch.arange(ways, device=self.device).repeat_interleave(each, output_size=ways * each)
        return pixels.view(tasks, ways * each, self.size, self.size), labels.expand(tasks, -1)
