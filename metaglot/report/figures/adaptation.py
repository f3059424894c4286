"""The chart of test accuracy by number of adaptation steps."""

from typing import Any

import altair as alt
import numpy as np

from metaglot.report import formatting
from metaglot.report.figures.common import Curve, curve_groups, tidy
from metaglot.report.figures.curve_figure import ACCURACY, curve_figure
from metaglot.report.figures.figure import Figure, colours, shown
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import adaptation_steps
from metaglot.report.statistics.over_seeds import by_algorithm

RING = 260  # area in pixels


def adaptation(runs: list[LoadedRun]) -> list[Figure]:
    """One figure; an algorithm without adaptation steps is a point at 0."""
    algorithms, groups = by_algorithm(runs), curve_groups(runs, _curve)
    palette = {group.name: group.series for group in groups}
    rings = [ring for seeds in algorithms if (ring := _ring(seeds))]
    note = " ".join(_note(seeds, step) for seeds in algorithms if (step := adaptation_steps(seeds[0])) is not None)
    title = "Test accuracy by adaptation step"
    more, data = [_rings(palette)], {"rings": rings}
    return [curve_figure("adaptation", title, "adaptation steps", ACCURACY, groups, more, data, note)]


def _rings(palette: dict[str, int]) -> alt.Chart:
    """The layer of rings around the scores in the table."""
    marks = shown("rings").transform_calculate(drawn=ACCURACY.drawn("datum.y"))
    marks = marks.mark_point(size=RING, filled=False, clip=True, strokeWidth=1.2)
    return marks.encode(x="x:Q", y="drawn:Q", color=colours(palette))


def _ring(seeds: list[LoadedRun]) -> dict[str, Any] | None:
    """The mean after the number of steps in the table; None if the chart does not reach it."""
    step = adaptation_steps(seeds[0])
    accuracies = [score.accuracy for run in seeds for score in run.result.by_step if score.step == step]
    if not accuracies:
        return None
    return {"group": seeds[0].result.label, "x": step, "y": tidy(float(np.mean(accuracies)))}


def _note(seeds: list[LoadedRun], step: int) -> str:
    label = seeds[0].result.label
    if step not in [score.step for score in seeds[0].result.by_step]:
        return f"{label} is scored after {step} steps, beyond this chart."
    return f"{label} is scored after {formatting.several(step, 'step')}."


def _curve(run: LoadedRun) -> Curve:
    return {step.step: (step.step, step.accuracy) for step in run.result.by_step}
