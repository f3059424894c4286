"""How they adapt: accuracy on the test tasks after each number of adaptation steps."""

import numpy as np

from metaglot.report import formatting
from metaglot.report.figures.common import Curve, accuracy_axis, draw_curves, ends, series
from metaglot.report.figures.svg_chart import Chart, ChartBuilder, colour, open_chart
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import adaptation_steps


def adaptation(runs: list[LoadedRun]) -> list[Chart]:
    """One chart; what does not adapt in steps is a point at 0."""
    with open_chart("adaptation") as drawn:
        last = {
            seeds[0].result.label: draw_curves(drawn, seeds, number, _curve)
            for number, seeds in enumerate(series(runs))
        }
        scored = [ring(drawn, seeds, number) for number, seeds in enumerate(series(runs))]
        accuracy_axis(drawn.axes)
        drawn.axes.set_xticks(range(max(step.step for run in runs for step in run.result.by_step) + 1))
        drawn.label("adaptation steps", "accuracy, logarithmic in the error")
        return [
            drawn.finish("Test accuracy by adaptation step", f"{ends(last)} {' '.join(filter(None, scored))}".strip())
        ]


def ring(drawn: ChartBuilder, seeds: list[LoadedRun], number: int) -> str | None:
    """Ring the step that the table scores; in words, which. Nothing of what adapts in no steps."""
    step = adaptation_steps(seeds[0])
    if step is None:
        return None
    label = seeds[0].result.label
    at = [(one.step, one.accuracy) for run in seeds for one in run.result.by_step if one.step == step]
    if not at:
        return f"{label} is scored after {step} steps, beyond this chart."
    (x, y) = np.mean(at, axis=0)
    (mark,) = drawn.axes.plot([x], [y], "o", markersize=9, fillstyle="none", color=colour(number))
    drawn.tip(mark, f"{label}: scored after {formatting.several(step, 'step')}, {formatting.percent(float(y))}")
    return f"{label} is scored after {formatting.several(step, 'step')}."


def _curve(run: LoadedRun) -> Curve:
    return {step.step: (step.step, step.accuracy) for step in run.result.by_step}
