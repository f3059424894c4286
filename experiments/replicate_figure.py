"""The figure of an experiment of replicates: each algorithm's accuracy, and its difference from the best one."""

from typing import Any

import altair as alt

from experiments.load_record import ExperimentRecord
from metaglot.charts.intervals import intervals
from metaglot.charts.scales import accuracy_axis
from metaglot.charts.theme import PRINT, config
from metaglot.report import formatting
from metaglot.report.statistics.pairs import find_pair
from metaglot.report.statistics.pairwise_result import pairwise_result
from metaglot.report.tables import Record, ranked

WIDTH, ROW = 320, 22  # pixels
Rows = list[dict[str, Any]]


def specification(record: ExperimentRecord) -> dict[str, Any]:
    compared = record.comparison
    labels = [row["label"] for row in ranked(compared["algorithms"])]
    panels = accuracy_panel(compared, labels), difference_panel(compared, labels)
    chart = alt.hconcat(*panels, spacing=30).properties(title=record.experiment.title)
    return chart.to_dict() | {"config": config(PRINT)}


def accuracy_panel(compared: Record, labels: list[str]) -> alt.LayerChart | alt.FacetChart:
    """A dot for each replicate on the bar of the 95% interval of the mean."""
    bars = [_bounds(row["label"], *row["accuracy"]["ci95"]) for row in compared["algorithms"]]
    dots = [{"label": run["label"], "value": run["accuracy"]} for run in compared["runs"]]
    x, drawn_of = accuracy_axis([dot["value"] for dot in dots])
    y = _algorithms(labels, named=True)

    def layer(rows: Rows, **drawn: str) -> alt.Chart:
        return _rows(rows).transform_calculate(**{name: drawn_of(f"datum.{of}") for name, of in drawn.items()})

    colour = alt.value(PRINT.series[0])
    bars_layer = layer(bars, drawn="low", high="high").encode(x, y, x2="high", color=colour)
    layers = intervals(bars_layer, layer(dots, drawn="value").encode(x, y, color=colour), opacity=0.6)
    return alt.layer(*layers, width=WIDTH, height=ROW * len(labels))


def difference_panel(compared: Record, labels: list[str]) -> alt.LayerChart | alt.FacetChart:
    """Differences from the best algorithm, paired by replicate, and the equivalence margin as a band."""
    best, *others = ranked(compared["algorithms"])
    pairs = [find_pair(compared["pairs"], other["algorithm"], best["algorithm"]) for other in others]
    results = [pairwise_result(pair, row["algorithm"]) for pair, row in zip(pairs, others, strict=True) if pair]
    rows = [_bounds(each.label, 100 * each.low, 100 * each.high, 100 * each.difference) for each in results]
    title = [f"minus {best['label']}, points; the band is ±{formatting.size(compared['margin'])}"]
    scale = alt.Scale(type="symlog", constant=1, nice=False, padding=8)
    x, y = alt.X("low:Q", title=title, scale=scale, axis=_points_axis(title)), _algorithms(labels, named=False)
    margin = 100 * compared["margin"]
    band = _rows([{"low": -margin, "high": margin}]).mark_rect(color=PRINT.line, opacity=0.6).encode(x, x2="high")
    bars = _rows(rows).mark_rule(strokeWidth=2, color=PRINT.ink).encode(x, y, x2="high")
    marks = _rows(rows).mark_point(filled=True, size=50, opacity=1, color=PRINT.ink).encode(y=y, x="value:Q")
    return alt.layer(band, bars, marks, width=WIDTH, height=ROW * len(labels))


def _points_axis(title: list[str]) -> alt.Axis:
    return alt.Axis(title=title, values=[-40, -20, -10, -5, -2, -1, 0, 1], labelExpr="format(datum.value, '~g')")


def _algorithms(labels: list[str], named: bool) -> alt.Y:
    """The algorithms from top to bottom, the best first."""
    axis = alt.Axis(grid=False, ticks=False, labels=named, domain=False)
    return alt.Y("label:N", title=None, scale=alt.Scale(domain=labels), axis=axis)


def _rows(rows: Rows) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _bounds(label: str, low: float, high: float, value: float | None = None) -> dict[str, Any]:
    return {"label": label, "low": low, "high": high, "value": value}
