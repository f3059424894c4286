"""The drawings of the page: the first test tasks with each algorithm's predictions, and the hardest characters."""

import base64
import io
from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaglot.core.tasks.split_parts import SplitPart
from metaglot.report import formatting
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm

SIDE = 40  # pixels, at most
MAX_DRAWINGS = 1000  # in the gallery
HARDEST = 12
Drawing = NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """The prediction of an algorithm's first network for a query."""

    series: int
    label: str
    letter: str
    is_right: bool


@dataclass(frozen=True)
class Query:
    picture: str
    answers: list[Answer]


@dataclass(frozen=True)
class Class:
    """A character of a task with its support images and queries."""

    letter: str
    name: str
    support: list[str]
    queries: list[Query]


@dataclass(frozen=True)
class Task:
    number: int
    classes: list[Class]
    mistakes: list[tuple[int, str, int]]  # series, label and number of wrong answers of each algorithm


@dataclass(frozen=True)
class HardCharacter:
    """A test character and the accuracy on its queries, by algorithm."""

    name: str
    pictures: list[str]
    tasks: int
    accuracies: list[float]


def gallery(runs: list[LoadedRun], characters: SplitPart) -> list[Task]:
    """The first test tasks with the predictions of each algorithm's first seed."""
    first = [seeds[0] for seeds in by_algorithm(runs)]
    drawings = first[0].scores["drawings"]
    count = max(1, MAX_DRAWINGS // max(1, drawings[0].size)) if len(drawings) else 0
    return [_task(number, first, characters) for number in range(min(count, len(drawings)))]


def _task(number: int, runs: list[LoadedRun], characters: SplitPart) -> Task:
    scores, shots = runs[0].scores, runs[0].record.config.task.shots
    classes = []
    for place, (character, turn) in enumerate(zip(scores["characters"][number], scores["turns"][number], strict=True)):
        pictures = [picture(characters.of_class(character)[d], turn) for d in scores["drawings"][number, place]]
        queries = [Query(shown, _answers(runs, number, place, i)) for i, shown in enumerate(pictures[shots:])]
        name = formatting.character(characters.names[character])
        classes.append(Class(letter(place), name, pictures[:shots], queries))
    answers = [query.answers for each in classes for query in each.queries]
    wrong = [sum(not of_query[i].is_right for of_query in answers) for i in range(len(runs))]
    return Task(number + 1, classes, [(i, run.result.label, wrong[i]) for i, run in enumerate(runs)])


def _answers(runs: list[LoadedRun], number: int, place: int, query: int) -> list[Answer]:
    predicted = [int(run.scores["predictions"][number, place, query]) for run in runs]
    return [Answer(i, run.result.label, letter(predicted[i]), predicted[i] == place) for i, run in enumerate(runs)]


def hardest(runs: list[LoadedRun], characters: SplitPart) -> list[HardCharacter]:
    """The characters with the lowest accuracy, as a mean over algorithms and their seeds."""
    characters_of_tasks = runs[0].scores["characters"]
    counts = np.bincount(characters_of_tasks.ravel(), minlength=len(characters.names))
    queries = runs[0].record.config.task.queries
    accuracies = np.array([_accuracies(seeds, characters_of_tasks, counts * queries) for seeds in by_algorithm(runs)])
    frequent = np.flatnonzero(counts >= counts.mean() / 2)
    order = frequent[np.argsort(accuracies[:, frequent].mean(axis=0), kind="stable")][:HARDEST]
    return [
        HardCharacter(
            formatting.character(characters.names[c]),
            [picture(drawing) for drawing in characters.of_class(c)[:3]],
            int(counts[c]),
            accuracies[:, c].tolist(),
        )
        for c in order
    ]


def _accuracies(
    seeds: list[LoadedRun], characters: NDArray[np.int16], queries: NDArray[np.int64]
) -> NDArray[np.float64]:
    """[characters]: an algorithm's accuracy on the queries of each character. queries: their number for one seed."""
    correct = sum(run.scores["correct"].astype(float) for run in seeds)
    totals = np.bincount(characters.ravel(), weights=np.ravel(correct), minlength=len(queries))
    return totals / np.maximum(queries * len(seeds), 1)


def picture(drawing: Drawing, rotation: int = 0) -> str:
    """A data URL of a drawing as its task rotates it: black ink, transparent paper, so that dark mode can invert it.

    An image in colour stays as it is.
    """
    rotated = Image.fromarray(np.ascontiguousarray(np.rot90(drawing, rotation)))
    rotated.thumbnail((SIDE, SIDE))
    is_ink = rotated.mode == "L"
    image = Image.merge("LA", (Image.new("L", rotated.size, 0), rotated)) if is_ink else rotated
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def letter(place: int) -> str:
    """The name of a class of a task: A to Z, then AA, AB, ..."""
    more, last = divmod(place, len(ascii_uppercase))
    return (letter(more - 1) if more else "") + ascii_uppercase[last]
