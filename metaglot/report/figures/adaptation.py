"""The chart of test accuracy by number of adaptation steps."""

import numpy as np

from metaglot.report import formatting
from metaglot.report.figures.common import Curve, accuracy_axis, draw_curves, ends, series
from metaglot.report.figures.svg_chart import Chart, ChartBuilder, colour, open_chart
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import adaptation_steps


def adaptation(runs: list[LoadedRun]) -> list[Chart]:
    """One chart; an algorithm without adaptation steps is a point at 0."""
    with open_chart("adaptation") as drawn:
        last = {
            seeds[0].result.label: draw_curves(drawn, seeds, number, _curve)
            for number, seeds in enumerate(series(runs))
        }
        notes = [ring(drawn, seeds, number) for number, seeds in enumerate(series(runs))]
        accuracy_axis(drawn.axes)
        drawn.axes.set_xticks(range(max(step.step for run in runs for step in run.result.by_step) + 1))
        drawn.label("adaptation steps", "accuracy, logarithmic in the error")
        return [
            drawn.finish("Test accuracy by adaptation step", f"{ends(last)} {' '.join(filter(None, notes))}".strip())
        ]


def ring(drawn: ChartBuilder, seeds: list[LoadedRun], number: int) -> str | None:
    """Ring the number of steps in the table and return it as a sentence; None without adaptation steps."""
    step = adaptation_steps(seeds[0])
    if step is None:
        return None
    label = seeds[0].result.label
    points = [(score.step, score.accuracy) for run in seeds for score in run.result.by_step if score.step == step]
    if not points:
        return f"{label} is scored after {step} steps, beyond this chart."
    (x, y) = np.mean(points, axis=0)
    (mark,) = drawn.axes.plot([x], [y], "o", markersize=9, fillstyle="none", color=colour(number))
    drawn.tip(mark, f"{label}: scored after {formatting.several(step, 'step')}, {formatting.percent(float(y))}")
    return f"{label} is scored after {formatting.several(step, 'step')}."


def _curve(run: LoadedRun) -> Curve:
    return {step.step: (step.step, step.accuracy) for step in run.result.by_step}
