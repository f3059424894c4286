"""The charts of first order against second order: cosine and norm ratio of the two meta-gradients."""

from metaglot.core.common.run_records import WHOLE_NETWORK
from metaglot.report.figures.common import Curve, draw_curves, ends, series, stack_curves
from metaglot.report.figures.svg_chart import Chart, ChartBuilder, colour, marker, open_chart
from metaglot.report.load_runs import LoadedRun


def gradients(runs: list[LoadedRun]) -> list[Chart]:
    """The whole network by algorithm, and the layers of each algorithm; empty if no run measured them."""
    if not any(run.alignment for run in runs):
        return []
    measured = [(number, seeds) for number, seeds in enumerate(series(runs)) if any(run.alignment for run in seeds)]
    return [
        _whole_network(measured, "cosine", "Cosine between the two meta-gradients"),
        _whole_network(measured, "norm_ratio", "Norm ratio, first-order over second-order meta-gradient"),
        *(_layers(number, seeds) for number, seeds in measured),
    ]


def _whole_network(measured: list[tuple[int, list[LoadedRun]]], quantity: str, title: str) -> Chart:
    with open_chart(f"gradients-{quantity.replace('_', '-')}") as drawn:
        drawn.line_at(1)
        last = {
            seeds[0].result.label: draw_curves(drawn, seeds, number, lambda run: _curve(run, WHOLE_NETWORK, quantity))
            for number, seeds in measured
        }
        drawn.label("iteration", quantity.replace("_", " "))
        return drawn.finish(title, ends(last, "{:.3f}".format))


def _layers(number: int, seeds: list[LoadedRun]) -> Chart:
    """Each layer's mean cosine over seeds, with a marker for each layer and the algorithm's colour."""
    label = seeds[0].result.label
    layers = list(dict.fromkeys(a.layer for run in seeds for a in run.alignment if a.layer != WHOLE_NETWORK))
    with open_chart(f"gradients-layers-{number}") as drawn:
        drawn.line_at(1)
        last = {layer: _layer(drawn, seeds, number, layer, shape) for shape, layer in enumerate(layers)}
        drawn.label("iteration", "cosine")
        return drawn.finish(f"Cosine by layer: {label}", ends(last, "{:.3f}".format))


def _layer(drawn: ChartBuilder, seeds: list[LoadedRun], number: int, layer: str, shape: int) -> float:
    mean = stack_curves([_curve(run, layer, "cosine") for run in seeds if run.alignment]).mean(axis=0)
    (line,) = drawn.axes.plot(*mean.T, color=colour(number), marker=marker(shape), linewidth=0.8, label=layer)
    drawn.tip(line, layer)
    return float(mean[-1, 1])


def _curve(run: LoadedRun, layer: str, quantity: str) -> Curve:
    return {a.iteration: (a.iteration, getattr(a, quantity)) for a in run.alignment if a.layer == layer}
