"""The chart of test accuracies: every network, each algorithm's interval, and the original study's number."""

from typing import Any

import numpy as np

from metaglot.report import formatting
from metaglot.report.figures.svg_chart import INK, Chart, ChartBuilder, colour, open_chart
from metaglot.report.tables import estimate, ranked

MANY_DOTS = 20
FAR = 10  # percentage points
TOP = 100.2
TICKS = (0, 20, 50, 80, 90, 95, 98, 99, 99.5)


def scores(comparison: dict[str, Any]) -> list[Chart]:
    """A row for each algorithm, the best first: dots for seeds, a bar for the 95% interval, a cross for the study."""
    rows = ranked(comparison["algorithms"])
    with open_chart("scores", height=1.0 + 0.42 * len(rows)) as drawn:
        for place, row in enumerate(rows):
            runs = [run for run in comparison["runs"] if run["algorithm"] == row["algorithm"]]
            _row(drawn, place, comparison["algorithms"].index(row), row, runs)
        drawn.axes.set_yticks(range(len(rows)), [row["label"] for row in rows])
        drawn.axes.set_ylim(len(rows) - 0.5, -0.5)
        drawn.axes.grid(axis="y", visible=False)
        error = ", logarithmic in the error" if _scale_if_far_apart(drawn) else ""
        crosses = "\na cross is the original study's" if any(row["writeup"] for row in rows) else ""
        drawn.label(f"test accuracy, %{error}{crosses}", "")
        alternative = "; ".join(f"{row['label']} {estimate(row['accuracy'])}" for row in rows)
        return [drawn.finish("Test accuracy", alternative + ".")]


def _scale_if_far_apart(drawn: ChartBuilder) -> bool:
    """Make the axis logarithmic in the error if scores are far apart, and return whether it is."""
    low, high = drawn.axes.dataLim.intervalx
    far = high - low > FAR
    if far:
        drawn.axes.set_xscale(
            "function", functions=(lambda x: -np.log10(np.maximum(TOP - x, 1e-4)), lambda y: TOP - 10**-y)
        )
        drawn.axes.set_xticks([tick for tick in TICKS if low - FAR < tick < high + (TOP - high) / 2])
        drawn.axes.set_xlim(low - (TOP - low) / 20, high + (TOP - high) / 3)
    return far


def _row(drawn: ChartBuilder, place: int, series: int, row: dict[str, Any], runs: list[dict[str, Any]]) -> None:
    low, high = (100 * bound for bound in row["accuracy"]["ci95"])
    (bar,) = drawn.axes.plot([low, high], [place, place], color=colour(series), linewidth=7, solid_capstyle="butt")
    bar.set_alpha(0.35)
    drawn.tip(bar, f"{row['label']}: {estimate(row['accuracy'])}")
    for run in runs:
        (dot,) = drawn.axes.plot(100 * run["accuracy"], place, "o", color=colour(series), markersize=4)
        dot.set_alpha(1 if len(runs) < MANY_DOTS else 0.4)
        drawn.tip(dot, f"{run['run']}: {formatting.percent(run['accuracy'])}")
    if row["writeup"]:
        (cross,) = drawn.axes.plot(100 * row["writeup"]["accuracy"], place, "x", color=INK, markersize=6)
        drawn.tip(
            cross, f"original study, {row['label']}: {formatting.percent(row['writeup']['accuracy'])} on 32 tasks"
        )
