"""How they adapt: accuracy on the test tasks after each number of adaptation steps."""

from metaglot.report.canvas import Chart, canvas
from metaglot.report.figures.series import Curve, accuracy_axis, draw_curves, ends, series
from metaglot.report.runs import Run


def adaptation(runs: list[Run]) -> list[Chart]:
    """One chart; what does not adapt in steps is a point at 0."""
    with canvas("adaptation") as drawn:
        last = {
            seeds[0].result.label: draw_curves(drawn, seeds, number, _curve)
            for number, seeds in enumerate(series(runs))
        }
        accuracy_axis(drawn.axes)
        drawn.axes.set_xticks(range(max(step.step for run in runs for step in run.result.by_step) + 1))
        drawn.label("adaptation steps", "accuracy, logarithmic in the error")
        return [drawn.finish("Test accuracy by adaptation step", ends(last))]


def _curve(run: Run) -> Curve:
    return {step.step: (step.step, step.accuracy) for step in run.result.by_step}
