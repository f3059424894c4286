"""Drawings for the page: the first test tasks with each algorithm's answers, and the hardest characters."""

import base64
import io
from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaglot.core.tasks.class_splits import SplitPart
from metaglot.report import formatting
from metaglot.report.figures.common import series
from metaglot.report.load_runs import LoadedRun

LARGEST = 40  # pixels: what the page shows of a drawing
MOST = 1000  # drawings in the gallery
HARDEST = 12
Drawing = NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """What an algorithm's first network took a query for."""

    series: int
    label: str
    letter: str
    right: bool


@dataclass(frozen=True)
class Query:
    picture: str
    answers: list[Answer]


@dataclass(frozen=True)
class Class:
    """A character of a task: what the networks were shown of it, and what they were asked."""

    letter: str
    name: str
    support: list[str]
    queries: list[Query]

    @property
    def asked(self) -> int:
        return len(self.queries)


@dataclass(frozen=True)
class Task:
    number: int
    classes: list[Class]
    mistakes: list[tuple[int, str, int]]  # of each algorithm: its place, its label, how many


@dataclass(frozen=True)
class Hard:
    """A character of the test split and how often its queries were answered right, by algorithm."""

    name: str
    pictures: list[str]
    tasks: int
    right: list[float]


def gallery(runs: list[LoadedRun], characters: SplitPart) -> list[Task]:
    """The first test tasks as far as their answers were kept, with those of each algorithm's first seed."""
    first = [seeds[0] for seeds in series(runs)]
    drawings = first[0].scores["drawings"]
    fit = max(1, MOST // max(1, drawings[0].size)) if len(drawings) else 0
    return [_task(number, first, characters) for number in range(min(fit, len(drawings)))]


def _task(number: int, runs: list[LoadedRun], characters: SplitPart) -> Task:
    scores = runs[0].scores
    places = range(scores["characters"].shape[1])
    shots = runs[0].record.config.task.shots
    classes = []
    for place in places:
        character, turn = scores["characters"][number, place], scores["turns"][number, place]
        shown = [picture(characters.images[character, d], turn) for d in scores["drawings"][number, place]]
        queries = [Query(shown[shots + i], _answers(runs, number, place, i)) for i in range(len(shown) - shots)]
        classes.append(Class(letter(place), formatting.character(characters.names[character]), shown[:shots], queries))
    wrong = [int((run.scores["predictions"][number] != np.array(places)[:, None]).sum()) for run in runs]
    mistakes = [(i, run.result.label, count) for i, (run, count) in enumerate(zip(runs, wrong, strict=True))]
    return Task(number + 1, classes, mistakes)


def _answers(runs: list[LoadedRun], number: int, place: int, query: int) -> list[Answer]:
    taken = [int(run.scores["predictions"][number, place, query]) for run in runs]
    return [
        Answer(i, run.result.label, letter(t), t == place) for i, (run, t) in enumerate(zip(runs, taken, strict=True))
    ]


def hardest(runs: list[LoadedRun], characters: SplitPart) -> list[Hard]:
    """The characters whose queries were answered wrong most often, by the mean over algorithms of all their seeds."""
    held = runs[0].scores["characters"]
    seen = np.bincount(held.ravel(), minlength=len(characters.names))
    queries = runs[0].record.config.task.queries
    right = np.array([_rates(seeds, held, seen * queries) for seeds in series(runs)])
    often = np.flatnonzero(seen >= seen.mean() / 2)
    order = often[np.argsort(right[:, often].mean(axis=0), kind="stable")][:HARDEST]
    return [
        Hard(
            formatting.character(characters.names[c]),
            [picture(drawing) for drawing in characters.images[c, :3]],
            int(seen[c]),
            right[:, c].tolist(),
        )
        for c in order
    ]


def _rates(seeds: list[LoadedRun], held: NDArray[np.int16], asked: NDArray[np.int64]) -> NDArray[np.float64]:
    """[characters]: the share of a character's queries that an algorithm answered right."""
    correct = sum(run.scores["correct"].astype(float) for run in seeds)
    totals = np.bincount(held.ravel(), weights=np.ravel(correct), minlength=len(asked))
    return totals / np.maximum(asked * len(seeds), 1)


def picture(drawing: Drawing, turn: int = 0) -> str:
    """A data address of a drawing as a task saw it: black ink on nothing, so that the page may invert it."""
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(drawing, turn)))
    turned.thumbnail((LARGEST, LARGEST))
    image = Image.merge("LA", (Image.new("L", turned.size, 0), turned))
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def letter(place: int) -> str:
    """A class of a task: A to Z, then AA, AB, ..."""
    more, last = divmod(place, len(ascii_uppercase))
    return (letter(more - 1) if more else "") + ascii_uppercase[last]
