"""Sequences of tasks, learned one after the other: no character occurs twice in a sequence."""

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.alphabets import Ints
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import RandomStream
from metaglot.core.tasks.task_sampler import TaskIndices, rotations_by_mode, sample_tasks


def sample_sequences(
    stream: RandomStream, count: int, length: int, characters: int, drawings: int | Ints, task: TaskConfig
) -> TaskIndices:
    """The tasks of the first `count` sequences of a stream, sequence after sequence.

    Sequences of one task are the stream's ordinary tasks. Raises UserError if there are too few characters, or
    where the characters of a task are to be of one alphabet.
    """
    if task.characters == "alphabet":
        raise UserError("sequences of tasks have characters of any alphabet: set task.characters to any")
    ways = task.ways * length
    if ways > characters:
        raise UserError(
            f"sequences of {length} tasks of {task.ways} ways need {ways} classes, and there are {characters}"
        )
    wide_task = task.model_copy(update={"ways": ways, "rotations": "class"})
    wide = sample_tasks(stream, count, characters, drawings, wide_task)
    rotations = rotations_by_mode(wide.rotations.reshape(-1, task.ways), task.rotations)
    return TaskIndices(
        wide.characters.reshape(-1, task.ways), rotations, wide.drawings.reshape(count * length, task.ways, -1)
    )


def batch_of_sequences(images: ImageStore, tasks: TaskIndices, length: int, shots: int) -> TaskBatch:
    """The images of sequences: support and query sets are [sequences, length, n, ...]."""
    return TaskBatch(*(part.unflatten(0, (-1, length)) for part in images.batch(tasks, shots).parts()))


def tasks_in_order(batch: TaskBatch) -> list[TaskBatch]:
    """The first tasks of all sequences, the second ones, ...; ordinary tasks are sequences of one task."""
    if batch.support.dim() == 4:
        return [batch]
    return [TaskBatch(*parts) for parts in zip(*(part.unbind(1) for part in batch.parts()), strict=True)]
