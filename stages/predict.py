"""Tell what the pictures in a folder are, by a trained network and a few pictures of each class.

No stage of the pipeline: it reads a run's folder and the user's own pictures, and writes to standard output.
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

LITTER = ("Thumbs.db", "desktop.ini")  # what file managers add to a folder; hidden files are passed over too


def entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UserError(f"{folder} is {'no folder' if folder.exists() else 'not there'}")
    return sorted(path for path in folder.iterdir() if not path.name.startswith(".") and path.name not in LITTER)


def pictures(folder: Path) -> list[Path]:
    """The files of a folder, all taken for pictures."""
    found = entries(folder)
    for path in found:
        if not path.is_file():
            raise UserError(f"{path} is not a file, and {folder} should hold nothing but pictures")
    if not found:
        raise UserError(f"{folder} is empty: it should hold pictures")
    return found


def classes(support: Path) -> dict[str, list[Path]]:
    """The pictures of each class, by the name of its folder."""
    found = entries(support)
    for path in found:
        if not path.is_dir():
            raise UserError(f"{path} is not a folder: {support} should hold one for each class, with pictures of it")
    if not found:
        raise UserError(f"{support} is empty: it should hold a folder for each class, with pictures of it")
    return {path.name: pictures(path) for path in found}


def scarce(given: dict[str, list[Path]], shots: int) -> str | None:
    """Words of warning where a class has fewer pictures than in training, which costs accuracy."""
    fewest = min(given, key=lambda name: len(given[name]))
    if len(given[fewest]) >= shots:
        return None
    return f"note: {len(given[fewest])} of {fewest}, where the network was trained on {shots} of each: expect mistakes"


def table(rows: list[tuple[Path, Prediction]]) -> Table:
    shown = Table()
    for column in ("file", "class"):
        shown.add_column(column)
    shown.add_column("probability", justify="right")
    for path, found in rows:
        shown.add_row(Text(path.name), Text(found.label), f"{found.probability:.1%}")
    return shown


def write(title: str, rows: list[tuple[Path, Prediction]], as_json: bool) -> None:
    """A table on a terminal, CSV to anything else, or JSON with the probability of every class."""
    sys.stdout.reconfigure(errors="surrogateescape")  # type: ignore[union-attr]  # names of files are bytes
    if as_json:
        found = [{"file": p.name, "class": f.label, "probabilities": f.probabilities} for p, f in rows]
        print(json.dumps(found, indent=2))
    elif sys.stdout.isatty():
        Console().print(Text(title), table(rows), sep="\n")
    else:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(("file", "class", "probability"))
        writer.writerows((path.name, found.label, f"{found.probability:.4f}") for path, found in rows)


def main(
    model: Annotated[Path, typer.Argument(help="a trained run's folder: data/models/maml-42")],
    support: Annotated[Path, typer.Argument(help="a folder for each class, with a few pictures of it")],
    queries: Annotated[Path, typer.Argument(help="a folder of pictures to tell apart")],
    steps: Annotated[int | None, typer.Option(help="adaptation steps; those of its test if not given")] = None,
    transductive: Annotated[
        bool, typer.Option("--transductive", help="let batch norm see all queries at once, as the protocol does")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON, with the probability of every class")] = False,
) -> None:
    """Tell what pictures are, by a trained network and a few pictures of each class, of any size and colour mode."""
    given, asked = classes(support), pictures(queries)
    labels = [name for name, shown in given.items() for _ in shown]
    predictor = load_predictor(model)
    steps = predictor.steps if steps is None else steps
    classifier = predictor.adapt((path for shown in given.values() for path in shown), labels, steps)
    found = classifier.predict(asked, transductive)
    if note := scarce(given, predictor.shots):
        print(note, file=sys.stderr)
    seen = "all queries together" if transductive else "each query by itself"
    title = f"{model.resolve().name}, {len(given)} classes, adaptation steps: {steps}, {seen}"
    write(title, list(zip(asked, found, strict=True)), as_json)


if __name__ == "__main__":
    run_command(main)
