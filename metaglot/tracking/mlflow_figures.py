"""The two pictures of one run: how it learned, and how it adapts."""

from pathlib import Path
from typing import Any

import altair as alt

from metaglot.charts.curves import curves
from metaglot.charts.scales import PADDING, linear_axis
from metaglot.charts.theme import PRINT, config
from metaglot.charts.vega import png
from metaglot.core.common.run_records import RunRecord
from metaglot.evaluation.result_record import Result

FIGURES = LEARNING_CURVE, ACCURACY_BY_STEP = "learning_curve.png", "accuracy_by_step.png"
PARTS = ("train", "validation")
WIDTH, HEIGHT, SCALE = 360, 260, 1.25  # pixels of one chart, and how many of the picture make one


def draw_figures(folder: Path, run: RunRecord, history: list[dict[str, float]], result: Result) -> None:
    """Write FIGURES; the same records give the same bytes."""
    name = f"{run.label} · seed {run.seed} · {result.dataset}"
    _save(learning_curve(history), name, folder / LEARNING_CURVE)
    _save(accuracy_by_step(result), name, folder / ACCURACY_BY_STEP)


def learning_curve(history: list[dict[str, float]]) -> alt.TopLevelMixin:
    """Accuracy and loss on the training tasks and on the validation tasks."""
    if not history:
        empty = alt.Chart(alt.InlineData(values=[{"text": "nothing was trained"}]), width=WIDTH, height=HEIGHT)
        return empty.mark_text(color=PRINT.ink).encode(text="text:N")
    return alt.hconcat(*(_by_iteration(history, quantity) for quantity in ("accuracy", "loss")))


def accuracy_by_step(result: Result) -> alt.TopLevelMixin:
    rows = [{"part": "validation", "x": after.step, "y": after.accuracy} for after in result.by_step]
    return _chart(rows, "adaptation steps", "test accuracy", legend=None)


def _by_iteration(history: list[dict[str, float]], quantity: str) -> alt.LayerChart | alt.FacetChart:
    rows = [
        {"part": part, "x": row["iteration"], "y": row[f"{part}_{quantity}"]}
        for part in PARTS
        for row in history
        if f"{part}_{quantity}" in row
    ]
    return _chart(rows, "iteration", f"query {quantity}", alt.Legend())


def _chart(rows: list[dict[str, Any]], x: str, y: str, legend: alt.Legend | None) -> alt.LayerChart | alt.FacetChart:
    scale, axis = linear_axis("y", y)
    parts = alt.Scale(domain=PARTS, range=PRINT.series)
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        alt.X("x:Q", axis=alt.Axis(title=x, tickMinStep=1), scale=alt.Scale(nice=False, padding=PADDING)),
        alt.Y("y:Q", scale=scale, axis=axis),
        alt.Color("part:N", scale=parts, legend=legend),
    )
    return alt.layer(*curves(base), width=WIDTH, height=HEIGHT)


def _save(chart: alt.TopLevelMixin, title: str, path: Path) -> None:
    specification = chart.to_dict() | {"title": title, "config": config(PRINT)}
    path.write_bytes(png(specification, SCALE))
