"""The chart of test accuracies: every network, each algorithm's interval, and the original study's number."""

from collections.abc import Callable
from typing import Any

import altair as alt

from metaglot.charts.interaction import tooltip, zoom
from metaglot.charts.intervals import intervals
from metaglot.charts.scales import accuracy_axis
from metaglot.charts.shapes import CIRCLE
from metaglot.report import formatting
from metaglot.report.figures.common import Row
from metaglot.report.figures.figure import PAGE, Figure, Switch, colours, shown, specify
from metaglot.report.tables import estimate, ranked

MANY_DOTS = 20
ROW, AROUND = 34, 64  # pixels
CROSS = "M-1,-1L1,1M-1,1L1,-1"
TIP = {"title": ("run", ""), "accuracy": ("text", "")}


def scores(comparison: dict[str, Any]) -> list[Figure]:
    """A row for each algorithm, the best first: dots for seeds, a bar for the 95% interval, a cross for the study."""
    rows = ranked(comparison["algorithms"])
    palette = {row["label"]: number for number, row in enumerate(comparison["algorithms"])}
    words = "; ".join(f"{row['label']} {estimate(row['accuracy'])}" for row in rows) + "."
    data = {"bars": [_bar(row) for row in rows], "dots": [_dot(run) for run in comparison["runs"]]}
    data["crosses"] = [_cross(row) for row in rows if row["writeup"]]
    x, drawn_of = accuracy_axis(_accuracies(**data), *["a cross is the original study's"] * bool(data["crosses"]))
    axes = {"x": x, "y": _algorithms([row["label"] for row in rows])}
    opacity = 1 if len(data["dots"]) < MANY_DOTS * len(rows) else 0.4
    specification = specify(_layers(axes, drawn_of, colours(palette), opacity), data, AROUND + ROW * len(rows))
    switches = [Switch(label, label, number, CIRCLE) for label, number in palette.items()]
    return [Figure("scores", "Test accuracy", words, specification, switches)]


def _algorithms(labels: list[str]) -> alt.Y:
    """The algorithms from top to bottom."""
    axis = alt.Axis(grid=False, ticks=False)
    return alt.Y("group:N", title=None, scale=alt.Scale(domain=labels), axis=axis)


def _layers(axes: dict[str, Any], drawn_of: Callable[[str], str], colour: alt.Color, opacity: float) -> list[alt.Chart]:
    def layer(name: str, **fields: str) -> alt.Chart:
        drawn = {name: drawn_of(f"datum.{field}") for name, field in fields.items()}
        return shown(name).transform_calculate(**drawn).encode(**axes, tooltip=tooltip(TIP))

    bars = layer("bars", drawn="low", high="high").encode(colour, x2="high")
    dots = layer("dots", drawn="accuracy").encode(colour).add_params(zoom("x"))
    crosses = layer("crosses", drawn="accuracy").mark_point(shape=CROSS, size=90, color=PAGE.ink, clip=True)
    return [*intervals(bars, dots, opacity), crosses]


def _bar(row: Row) -> Row:
    low, high = row["accuracy"]["ci95"]
    text = f"{formatting.percent(row['accuracy']['mean'])}, 95% interval {100 * low:.2f} to {100 * high:.2f}%"
    return {"group": row["label"], "run": f"{row['label']}, mean", "low": low, "high": high, "text": text}


def _dot(run: Row) -> Row:
    accuracy = run["accuracy"]
    return {"group": run["label"], "run": run["run"], "accuracy": accuracy, "text": formatting.percent(accuracy)}


def _cross(row: Row) -> Row:
    accuracy = row["writeup"]["accuracy"]
    text = f"{formatting.percent(accuracy)} on 32 tasks"
    return {"group": row["label"], "run": f"original study, {row['label']}", "accuracy": accuracy, "text": text}


def _accuracies(bars: list[Row], dots: list[Row], crosses: list[Row]) -> list[float]:
    return [bar[end] for bar in bars for end in ("low", "high")] + [mark["accuracy"] for mark in [*dots, *crosses]]
