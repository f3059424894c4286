"""The images of tasks: every drawing lies ready in memory in all four rotations, so that a batch is one gather."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.alphabets import Alphabets, Ints
from metaglot.core.tasks.random_streams import RandomStream, stream_generator
from metaglot.core.tasks.task_sampler import ROTATIONS, TaskIndices, sample_tasks


@dataclass(frozen=True)
class TaskBatch:
    """The images of some tasks: float, ink = 1, [tasks, ways * shots or queries, size, size]; labels [tasks, same].

    Images in colour have a last dimension of three channels.
    """

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


class ImageStore:
    """Every drawing of some characters in all four rotations, as bytes on a device.

    drawings: the number of every character, or of each one where these are unlike. shape: of an image.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        device: torch.device,
        alphabets: Sequence[str] = (),
        counts: NDArray[np.int64] | None = None,
    ):
        """images [characters, drawings, size, size], 255 = ink, and in colour [..., size, size, 3].

        alphabets: the name of each character's, if known.
        counts: of the drawings of each character where these are unlike: then the first two dimensions are one.
        """
        self.shape = images.shape[2:] if counts is None else images.shape[1:]
        self.drawings: int | Ints = images.shape[1] if counts is None else counts.astype(np.int64)
        self.characters = len(images if counts is None else counts)
        flat = images.reshape(-1, *self.shape)
        rotated = np.stack([np.rot90(flat, quarter_turns, axes=(1, 2)) for quarter_turns in range(ROTATIONS)])
        self.device = device
        self.alphabets = Alphabets(alphabets) if alphabets else None
        self.bytes = torch.from_numpy(rotated.reshape(ROTATIONS * len(flat), -1)).to(device)
        each = np.broadcast_to(self.drawings, self.characters)
        self._starts = each.cumsum() - each  # where the drawings of each character begin
        self._character_of = np.repeat(np.arange(self.characters), each)

    @property
    def fewest_drawings(self) -> int:
        """The number of drawings of the character that has the fewest."""
        return int(np.min(self.drawings))

    def sample_batch(self, stream: RandomStream, count: int, task: TaskConfig) -> TaskBatch:
        """The images of the first `count` tasks of a stream."""
        return self.batch(self.sample_tasks(stream, count, task), task.shots)

    def sample_tasks(self, stream: RandomStream, count: int, task: TaskConfig) -> TaskIndices:
        """The first `count` tasks of a stream, by index."""
        return sample_tasks(stream, count, self.characters, self.drawings, task, self.alphabets)

    def minibatch(self, stream: RandomStream, count: int, rotations: int) -> tuple[Tensor, Tensor]:
        """Drawings picked at random with repeats: images [count, size, size] and classes [count].

        A class is a character in one of its first `rotations` rotations, numbered from 0 to characters * rotations.
        """
        total = len(self._character_of)
        rows = stream_generator(stream).integers(rotations * total, size=(1, 1, count))
        images, _ = self._gather(rows)
        turns, row = np.divmod(rows[0, 0], total)
        return images[0], torch.from_numpy(turns * self.characters + self._character_of[row]).to(self.device)

    def batch(self, tasks: TaskIndices, shots: int) -> TaskBatch:
        """The images of these tasks, float32."""
        starts = tasks.rotations * len(self._character_of) + self._starts[tasks.characters]
        rows = starts[..., None] + tasks.drawings
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
        return pixels.view(tasks, ways * each, *self.shape), labels.expand(tasks, -1)
