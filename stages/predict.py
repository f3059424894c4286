"""Classify the images in a folder, or in a file that the draw page exported, with a trained network.

This is not a stage of the pipeline: it reads a run's folder and the user's own images, and prints.
"""

import csv
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from metaglot.core.common.errors import UserError
from metaglot.inference.drawings_file import read_drawings_file
from metaglot.inference.predictor import Prediction, load_predictor
from metaglot.inference.user_images import UserImage
from stages.support.command_line import run_command

DRAWINGS = ".json"  # the suffix of the draw page's files
IGNORED = ("Thumbs.db", "desktop.ini")  # file managers write these; hidden files are ignored too


class UserTask(NamedTuple):
    """support: the labelled images. labels: one for each of them. queries and names: images to classify."""

    support: list[UserImage]
    labels: list[str]
    queries: list[UserImage]
    names: list[str]


def read_task(support: Path, queries: Path | None) -> UserTask:
    """The task in a file of the draw page, or in two folders."""
    if support.suffix == DRAWINGS and support.is_file():
        if queries is not None:
            raise UserError(f"{support} holds the queries too: leave {queries} out")
        return drawn_task(support)
    if queries is None:
        raise UserError(
            f"a folder of images to classify is missing; only a file of the draw page ({DRAWINGS}) needs none"
        )
    by_class, query_files = support_files(support), image_files(queries)
    pairs = [(path, name) for name, files in by_class.items() for path in files]
    return UserTask([p for p, _ in pairs], [name for _, name in pairs], [*query_files], [p.name for p in query_files])


def drawn_task(path: Path) -> UserTask:
    labelled, queries = read_drawings_file(path)
    labels, names = [image.label for image in labelled], [image.name for image in queries]
    return UserTask([image.pixels for image in labelled], labels, [image.pixels for image in queries], names)


def folder_entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder} is {'not a folder' if folder.exists() else 'not there'}")
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in IGNORED)


def image_files(folder: Path) -> list[Path]:
    """All files of a folder; each is taken for an image."""
    found = folder_entries(folder)
    for path in found:
        if not path.is_file():
            raise UserError(f"{path} is not a file, and {folder} may hold only images")
    if not found:
        raise UserError(f"{folder} is empty: it should hold images")
    return found


def support_files(support: Path) -> dict[str, list[Path]]:
    """The image files of each class, by the name of its folder."""
    found = folder_entries(support)
    for path in found:
        if not path.is_dir():
            raise UserError(f"{path} is not a folder: {support} should hold a folder of images for each class")
    if not found:
        raise UserError(f"{support} is empty: it should hold a folder of images for each class")
    return {path.name: image_files(path) for path in found}


def few_images_note(labels: list[str], shots: int) -> str | None:
    """A warning if a class has fewer images than in training, which costs accuracy."""
    fewest, count = min(Counter(labels).items(), key=lambda item: item[1])
    if count >= shots:
        return None
    return f"note: {fewest} has {count} images; the network was trained on {shots} a class: expect mistakes"


def predictions_table(rows: list[tuple[str, Prediction]]) -> Table:
    table = Table()
    for column in ("file", "class"):
        table.add_column(column)
    table.add_column("probability", justify="right")
    for name, found in rows:
        table.add_row(Text(name), Text(found.label), f"{found.probability:.1%}")
    return table


def print_predictions(title: str, rows: list[tuple[str, Prediction]], as_json: bool) -> None:
    """A table on a terminal, CSV elsewhere, or JSON with the probability of every class."""
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]  # any file name
    if as_json:
        found = [{"file": name, "class": f.label, "probabilities": f.probabilities} for name, f in rows]
        print(json.dumps(found, indent=2))
    elif sys.stdout.isatty():
        Console().print(Text(title), predictions_table(rows), sep="\n")
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("file", "class", "probability"))
        writer.writerows((name, found.label, f"{found.probability:.4f}") for name, found in rows)


def main(
    model: Annotated[Path, typer.Argument(help="a trained run's folder: data/models/maml-42, or a copy of it")],
    support: Annotated[
        Path, typer.Argument(help="a folder that holds a folder of a few images for each class; or draw.html's file")
    ],
    queries: Annotated[
        Path | None, typer.Argument(help="a folder of images to classify; none with draw.html's file")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="adaptation steps; default: those of its test")] = None,
    transductive: Annotated[
        bool, typer.Option("--transductive", help="normalise all queries together, as in the published protocol")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with the probability of every class")] = False,
) -> None:
    """Classify images with a trained network and a few images of each class, of any size and colour mode."""
    task = read_task(support, queries)
    predictor = load_predictor(model)
    steps = predictor.adaptation_steps if steps is None else steps
    predictions = predictor.adapt(task.support, task.labels, steps).predict(task.queries, transductive)
    if note := few_images_note(task.labels, predictor.shots):
        print(note, file=sys.stderr)
    mode = "queries together" if transductive else "each query independently"
    title = f"{model.resolve().name}, {len(set(task.labels))} classes, adaptation steps: {steps}, {mode}"
    print_predictions(title, list(zip(task.names, predictions, strict=True)), as_json)


if __name__ == "__main__":
    run_command(main)
