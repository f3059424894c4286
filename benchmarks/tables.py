"""A part's numbers for people: in the terminal, and in results.md."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import table as rich
from rich.markup import escape


@dataclass(frozen=True)
class Table:
    """A note says what was measured, and how to read it."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]

    def rich(self) -> rich.Table:
        columns = [rich.Column(escape(name), justify="right" if i else "left") for i, name in enumerate(self.header)]
        made = rich.Table(*columns, title=escape(self.title), caption=escape(self.note), title_justify="left")
        for row in self.rows:
            made.add_row(*map(escape, row))
        return made

    def markdown(self) -> str:
        rule = ["---", *["---:"] * (len(self.header) - 1)]
        lines = [f"| {' | '.join(row)} |" for row in (self.header, rule, *self.rows)]
        return "\n".join([f"## {self.title}", "", self.note, "", *lines, ""])


def milliseconds(spread: Mapping[str, float]) -> str:
    return _with_ends(spread, 1e3, "")


def times(spread: Mapping[str, float]) -> str:
    """How many times as fast."""
    return _with_ends(spread, 1, "x")


def percent(spread: Mapping[str, float]) -> str:
    return _with_ends(spread, 100, "%")


def _with_ends(spread: Mapping[str, float], scale: float, unit: str) -> str:
    """The median and, where there are repeats, the ends of its spread."""
    low, median, high = (number(scale * spread[key]) for key in ("low", "median", "high"))
    return f"{median}{unit} ({low} to {high})" if spread["repeats"] > 1 else f"{median}{unit}"


def number(value: float) -> str:
    """Three digits, and no more decimals than they need."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:#.3g}".rstrip(".")


def cells(row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    return [str(row[name]) for name in names]
