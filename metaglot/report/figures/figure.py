"""A figure of the page: a Vega-Lite chart in the page's colours, its switches, and its content in words and numbers."""

import json
from dataclasses import dataclass
from typing import Any

import altair as alt
from markupsafe import Markup

from metaglot.charts.shapes import shape
from metaglot.charts.theme import Theme, config
from metaglot.report.tables import Table

SERIES = 20  # algorithms with a colour and a mark of their own
FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'
PAGE = Theme(
    ink="currentColor",
    line="var(--line)",
    font=FONT,
    background="transparent",
    series=tuple(f"var(--series-{number})" for number in range(SERIES)),
)
HIDDEN = alt.param("hidden", value=[])  # the page's switches put names of groups and runs into it
SHOWN = "indexof(hidden, datum.group) < 0 && indexof(hidden, datum.run) < 0"
HEIGHT = 300


@dataclass(frozen=True)
class Switch:
    """A checkbox that shows or hides a group of marks, and is their legend."""

    group: str
    label: str
    series: int
    shape: str


@dataclass(frozen=True)
class Figure:
    """alternative: the chart in words. table: its numbers, unless they are in a table of the page."""

    id: str
    title: str
    alternative: str
    specification: dict[str, Any]
    switches: list[Switch]
    table: Table | None = None

    @property
    def height(self) -> int:
        return self.specification["height"]

    @property
    def json(self) -> Markup:
        """The specification for a script element, whose only special character is `<`."""
        text = json.dumps(self.specification, separators=(",", ":"), ensure_ascii=False)
        return Markup(text.replace("<", "\\u003c"))


def specify(layers: list[alt.Chart], data: dict[str, list[dict[str, Any]]], height: int = HEIGHT) -> dict[str, Any]:
    """A chart as wide as its place on the page. data: rows by the name that the layers use.

    Altair would copy and check rows in each layer, so they are added to its specification; the tests check that.
    """
    chart = alt.layer(*layers).add_params(HIDDEN)
    size = alt.AutoSizeParams(type="fit", contains="padding")
    specification = chart.properties(width="container", height=height, autosize=size).to_dict(validate=False)
    return specification | {"config": config(PAGE), "datasets": specification.get("datasets", {}) | data}


def rows_of(name: str) -> alt.Chart:
    """A layer of the rows with that name."""
    return alt.Chart(alt.NamedData(name=name))


def shown(name: str) -> alt.Chart:
    """A layer of rows that have a group and a run, which the switches show and hide."""
    return rows_of(name).transform_filter(SHOWN)


def colours(groups: dict[str, int]) -> alt.Color:
    """The colour of each group. groups: the place of each in the page's palette."""
    scale = alt.Scale(domain=list(groups), range=[PAGE.colour(number) for number in groups.values()])
    return alt.Color("group:N", scale=scale, legend=None)


def shapes(groups: dict[str, int]) -> alt.Shape:
    scale = alt.Scale(domain=list(groups), range=[shape(number) for number in groups.values()])
    return alt.Shape("group:N", scale=scale, legend=None)


def reference(channel: str, value: float, dashed: bool = False) -> alt.Chart:
    """A line across the chart at a value of x or y."""
    dashes = [2, 3] if dashed else []
    line = alt.Chart(alt.InlineData(values=[{"value": value}])).mark_rule(color=PAGE.ink, strokeDash=dashes, clip=True)
    return line.encode(**{channel: "value:Q"})
