"""The tables of a part, for the terminal and results.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import table as rich
from rich.markup import escape


@dataclass(frozen=True)
class Table:
    """note: what was measured, and how to read it."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> rich.Table:
        columns = [rich.Column(escape(name), justify="right" if i else "left") for i, name in enumerate(self.header)]
        table = rich.Table(*columns, title=escape(self.title), caption=escape(self.note), title_justify="left")
        for row in self.rows:
            table.add_row(*map(escape, row))
        return table

    def markdown(self) -> str:
        rule = ["---", *["---:"] * (len(self.header) - 1)]
        lines = [f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows)]
        return "\n".join([f"## {self.title}", "", self.note, "", *lines, ""])


def milliseconds(quartiles: Mapping[str, float]) -> str:
    return _with_ends(quartiles, 1e3, "")


def times(quartiles: Mapping[str, float]) -> str:
    """A ratio."""
    return _with_ends(quartiles, 1, "x")


def percent(quartiles: Mapping[str, float]) -> str:
    return _with_ends(quartiles, 100, "%")


def _with_ends(quartiles: Mapping[str, float], scale: float, unit: str) -> str:
    """The median and, with several repeats, both quartiles."""
    low, median, high = (number(scale * quartiles[key]) for key in ("low", "median", "high"))
    return f"{median}{unit} ({low} to {high})" if quartiles["repeats"] > 1 else f"{median}{unit}"


def number(value: float) -> str:
    """Three significant digits, without unneeded decimals."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def cells(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [str(row[name]) for name in names]
