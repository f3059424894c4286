"""The charts of first order against second order: cosine and norm ratio of the two meta-gradients."""

from metaglot.core.common.run_records import WHOLE_NETWORK
from metaglot.report.figures.common import Curve, CurveGroup, series
from metaglot.report.figures.curve_figure import COSINE, NORM_RATIO, Quantity, curve_figure
from metaglot.report.figures.figure import Figure, reference
from metaglot.report.load_runs import LoadedRun


def gradients(runs: list[LoadedRun]) -> list[Figure]:
    """The whole network by algorithm, and the layers of each algorithm; empty if no run measured them."""
    measured = {number: [run for run in seeds if run.alignment] for number, seeds in enumerate(series(runs))}
    measured = {number: seeds for number, seeds in measured.items() if seeds}
    if not measured:
        return []
    return [
        _whole_network(measured, COSINE, "Cosine between the two meta-gradients"),
        _whole_network(measured, NORM_RATIO, "Norm ratio, first-order over second-order meta-gradient"),
        *(_layers(number, seeds) for number, seeds in measured.items()),
    ]


def _whole_network(measured: dict[int, list[LoadedRun]], quantity: Quantity, title: str) -> Figure:
    groups = [
        _group(seeds[0].result.label, number, number, seeds, WHOLE_NETWORK, quantity)
        for number, seeds in measured.items()
    ]
    id = f"gradients-{quantity.name.replace(' ', '-')}"
    return curve_figure(id, title, "iteration", quantity, groups, [reference("y", 1, dashed=True)])


def _layers(number: int, seeds: list[LoadedRun]) -> Figure:
    """Each layer's mean cosine over seeds, with a mark for each layer and the algorithm's colour."""
    layers = list(dict.fromkeys(a.layer for run in seeds for a in run.alignment if a.layer != WHOLE_NETWORK))
    groups = [_group(layer, number, mark, seeds, layer, COSINE).as_mean() for mark, layer in enumerate(layers)]
    title = f"Cosine by layer: {seeds[0].result.label}"
    return curve_figure(
        f"gradients-layers-{number}", title, "iteration", COSINE, groups, [reference("y", 1, dashed=True)]
    )


def _group(name: str, number: int, mark: int, seeds: list[LoadedRun], layer: str, quantity: Quantity) -> CurveGroup:
    return CurveGroup(name, number, mark, {run.name: _curve(run, layer, quantity) for run in seeds})


def _curve(run: LoadedRun, layer: str, quantity: Quantity) -> Curve:
    field = quantity.name.replace(" ", "_")
    return {a.iteration: (a.iteration, getattr(a, field)) for a in run.alignment if a.layer == layer}
