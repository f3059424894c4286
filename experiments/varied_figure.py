"""The figure of a varied experiment: accuracy with intervals, and cosine, by the varied value."""

from typing import Any

import altair as alt

from experiments.load_record import ExperimentRecord
from experiments.varied_record import VariedRecord, VariedRow
from metaglot.charts.curves import curves
from metaglot.charts.scales import linear_axis
from metaglot.charts.theme import PRINT, config

WIDTH, HEIGHT = 320, 220  # pixels of one panel
Rows = list[dict[str, Any]]


def specification(record: ExperimentRecord) -> dict[str, Any]:
    varied = VariedRecord(record)
    symbol, reference = varied.vary.symbol, varied.vary.reference
    values = [row for row in varied.rows if row.value is not None]
    others = [_accuracy(row) for row in varied.rows if row.value is None]
    cosines = [1.0 if row.value == reference else row.median_alignment("cosine") for row in values]
    panels = [
        accuracy_panel(symbol, [_accuracy(row) for row in values], others),
        curve_panel(symbol, "cosine with the exact meta-gradient", _points(values, cosines)),
    ]
    chart = alt.hconcat(*panels, spacing=30).properties(title=record.experiment.title)
    return chart.to_dict() | {"config": config(PRINT)}


def accuracy_panel(symbol: str, rows: Rows, others: Rows) -> alt.LayerChart | alt.FacetChart:
    """A bar for each interval, a curve of the means, and a dashed line for each other algorithm."""
    base = _base(symbol, "test accuracy, 95% intervals", rows, ".1%")
    bars = base.mark_rule(strokeWidth=1.5, color=PRINT.series[0]).encode(alt.Y("low:Q"), alt.Y2("high:Q"))
    lines = alt.Chart(alt.InlineData(values=others)).mark_rule(strokeDash=[4, 3], color=PRINT.series[1]).encode(y="y:Q")
    names = alt.Chart(alt.InlineData(values=others)).mark_text(align="right", dy=10, fontSize=11, color=PRINT.ink)
    names = names.encode(alt.Y("y:Q"), alt.Text("label:N"), x=alt.value(WIDTH))
    return alt.layer(*([lines, names] if others else []), bars, *curves(base), width=WIDTH, height=HEIGHT)


def curve_panel(symbol: str, title: str, rows: Rows) -> alt.LayerChart | alt.FacetChart:
    return alt.layer(*curves(_base(symbol, title, rows, "~g")), width=WIDTH, height=HEIGHT)


def _base(symbol: str, title: str, rows: Rows, number_format: str) -> alt.Chart:
    scale, _ = linear_axis("y", title)
    return alt.Chart(alt.InlineData(values=rows)).encode(
        alt.X("x:Q", title=symbol, scale=alt.Scale(padding=8, nice=False)),
        alt.Y("y:Q", title=title, scale=scale, axis=alt.Axis(format=number_format, title=title)),
        color=alt.value(PRINT.series[0]),
    )


def _accuracy(row: VariedRow) -> dict[str, Any]:
    mean, (low, high) = row.row["accuracy"]["mean"], row.row["accuracy"]["ci95"]
    return {"x": row.value, "y": mean, "low": low, "high": high, "label": row.row["label"]}


def _points(rows: list[VariedRow], values: list[float | None]) -> Rows:
    return [{"x": row.value, "y": value} for row, value in zip(rows, values, strict=True) if value is not None]
