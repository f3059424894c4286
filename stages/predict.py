"""Classify the images in a folder with a trained network and a few images of each class.

This is not a stage of the pipeline: it reads a run's folder and the user's own images, and prints.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from metaglot.core.common.errors import UserError
from metaglot.inference.predictor import Prediction, load_predictor
from stages.support.command_line import run_command

IGNORED = ("Thumbs.db", "desktop.ini")  # file managers write these; hidden files are ignored too


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


def few_images_note(by_class: dict[str, list[Path]], shots: int) -> str | None:
    """A warning if a class has fewer images than in training, which costs accuracy."""
    fewest, files = min(by_class.items(), key=lambda item: len(item[1]))
    if len(files) >= shots:
        return None
    return f"note: {fewest} has {len(files)} images; the network was trained on {shots} a class: expect mistakes"


def predictions_table(rows: list[tuple[Path, Prediction]]) -> Table:
    table = Table()
    for column in ("file", "class"):
        table.add_column(column)
    table.add_column("probability", justify="right")
    for path, found in rows:
        table.add_row(Text(path.name), Text(found.label), f"{found.probability:.1%}")
    return table


def print_predictions(title: str, rows: list[tuple[Path, Prediction]], as_json: bool) -> None:
    """A table on a terminal, CSV elsewhere, or JSON with the probability of every class."""
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")  # type: ignore[union-attr]  # any file name
    if as_json:
        found = [{"file": p.name, "class": f.label, "probabilities": f.probabilities} for p, f in rows]
        print(json.dumps(found, indent=2))
    elif sys.stdout.isatty():
        Console().print(Text(title), predictions_table(rows), sep="\n")
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("file", "class", "probability"))
        writer.writerows((path.name, found.label, f"{found.probability:.4f}") for path, found in rows)


def main(
    model: Annotated[Path, typer.Argument(help="a trained run's folder: data/models/maml-42, or a copy of it")],
    support: Annotated[Path, typer.Argument(help="a folder that holds a folder of a few images for each class")],
    queries: Annotated[Path, typer.Argument(help="a folder of images to classify")],
    steps: Annotated[int | None, typer.Option(help="adaptation steps; default: those of its test")] = None,
    transductive: Annotated[
        bool, typer.Option("--transductive", help="normalise all queries together, as in the published protocol")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with the probability of every class")] = False,
) -> None:
    """Classify images with a trained network and a few images of each class, of any size and colour mode."""
    by_class, query_files = support_files(support), image_files(queries)
    labels = [name for name, files in by_class.items() for _ in files]
    predictor = load_predictor(model)
    steps = predictor.adaptation_steps if steps is None else steps
    classifier = predictor.adapt((path for files in by_class.values() for path in files), labels, steps)
    predictions = classifier.predict(query_files, transductive)
    if note := few_images_note(by_class, predictor.shots):
        print(note, file=sys.stderr)
    mode = "queries together" if transductive else "each query independently"
    title = f"{model.resolve().name}, {len(by_class)} classes, adaptation steps: {steps}, {mode}"
    print_predictions(title, list(zip(query_files, predictions, strict=True)), as_json)


if __name__ == "__main__":
    run_command(main)
