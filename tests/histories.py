"""The tables that a training leaves, row by row."""

import csv
from pathlib import Path


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def untimed(history: Path) -> list[dict[str, str]]:
    """The rows of history.csv without their times."""
    return [{name: cell for name, cell in row.items() if name != "seconds"} for row in rows(history)]
