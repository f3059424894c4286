"""What a task is, by index: its characters, their rotations, the drawings of each.

Tasks are a function of a stream and of their position in it alone. A whole meta-batch is drawn without a loop over
tasks.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.alphabets import Alphabets, Ints, sample_without_replacement
from metaglot.core.tasks.random_streams import RandomStream, stream_generator

ROTATIONS = 4  # quarter turns, anticlockwise
SHUFFLED = 64  # images of a class, at most, that a task shuffles to draw from; more would take time and memory


@dataclass(frozen=True)
class TaskIndices:
    """A batch of tasks by index: the first `shots` drawings of a character are its support, the rest its queries."""

    characters: Ints  # [tasks, ways], distinct in a task; the position is the label
    rotations: Ints  # [tasks, ways], in quarter turns
    drawings: Ints  # [tasks, ways, shots + queries], distinct for a character

    def __len__(self) -> int:
        return len(self.characters)

    def __getitem__(self, part: slice) -> "TaskIndices":
        return TaskIndices(self.characters[part], self.rotations[part], self.drawings[part])

    def sha256(self) -> str:
        """A digest of everything that defines these tasks, given the characters they index."""
        digest = hashlib.sha256()
        for values in (self.characters, self.rotations, self.drawings):
            digest.update(repr(values.shape).encode() + values.astype("<i8").tobytes())
        return digest.hexdigest()


def sample_tasks(
    stream: RandomStream,
    count: int,
    characters: int,
    drawings: int | Ints,
    task: TaskConfig,
    alphabets: Alphabets | None = None,
) -> TaskIndices:
    """The first `count` tasks of a stream, on so many characters with so many drawings each.

    drawings: the number of every character, or of each one, [characters], where these are unlike.
    A longer draw starts with the same tasks: each takes its own fixed share of the generator's numbers. Raises
    UserError if there are fewer characters than ways, or fewer drawings than shots and queries.
    """
    _check(count, characters, int(np.min(drawings)), task, alphabets)
    ways, used = task.ways, task.shots + task.queries
    shuffled = drawings if isinstance(drawings, int) and drawings <= SHUFFLED else None
    ends = ways, 2 * ways, ways * (2 + (shuffled or used))
    own = alphabets if task.characters == "alphabet" else None
    share = stream_generator(stream).random((count, ends[-1] + bool(own)))
    of_characters, of_rotations, of_drawings, of_alphabet = np.split(share, ends, axis=1)
    if own:
        chosen = own.sample(of_alphabet[:, 0], of_characters)
    else:
        chosen = sample_without_replacement(of_characters, characters)
    rotations = rotations_by_mode((of_rotations * ROTATIONS).astype(np.int64), task.rotations)
    if shuffled:
        drawn = of_drawings.reshape(count, ways, shuffled).argsort(-1)[:, :, :used]
    else:
        of_each = np.broadcast_to(drawings, characters)[chosen].reshape(-1, 1)
        drawn = sample_without_replacement(of_drawings.reshape(-1, used), of_each).reshape(count, ways, used)
    return TaskIndices(chosen, rotations, drawn)


def _check(count: int, characters: int, drawings: int, task: TaskConfig, alphabets: Alphabets | None) -> None:
    """Raise UserError for a task that cannot be drawn. drawings: the fewest of any character."""
    if task.characters == "alphabet" and alphabets is None:
        raise UserError("tasks from one alphabet each need the alphabets of the classes, and these have none")
    if task.ways > characters:
        raise UserError(f"tasks of {task.ways} ways need as many classes, and there are {characters}")
    used = task.shots + task.queries
    if used > drawings:
        wanted = f"tasks of {task.shots} shots and {task.queries} queries need {used} images of a class"
        raise UserError(f"{wanted}, and there are {drawings}")
    if count < 1:
        raise UserError(f"{count} tasks cannot be sampled: ask for one at least")


def rotations_by_mode(rotations: Ints, mode: str) -> Ints:
    """The rotations of tasks, [tasks, ways]: by `class` those given, by `task` the first for all, by `none` zeros."""
    if mode == "task":
        return np.repeat(rotations[:, :1], rotations.shape[1], axis=1)
    return rotations if mode == "class" else np.zeros_like(rotations)
