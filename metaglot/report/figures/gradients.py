"""The charts of the approximate meta-gradient against the exact one: cosine and norm ratio.

The approximation is of first order, unless the algorithm has its own (`approximate_and_exact`).
"""

from metaglot.core.common.run_records import WHOLE_NETWORK
from metaglot.report.figures.common import Curve, CurveGroup, curve_groups
from metaglot.report.figures.curve_figure import COSINE, NORM_RATIO, Quantity, curve_figure
from metaglot.report.figures.figure import Figure, reference
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm


def gradients(runs: list[LoadedRun]) -> list[Figure]:
    """The whole network by algorithm, and the layers of each algorithm; empty if no run measured them."""
    measured = {number: [run for run in seeds if run.alignment] for number, seeds in enumerate(by_algorithm(runs))}
    if not any(measured.values()):
        return []
    return [
        _whole_network(runs, COSINE, "Cosine between the two meta-gradients"),
        _whole_network(runs, NORM_RATIO, "Norm ratio, approximate over exact meta-gradient"),
        *(_layers(number, seeds) for number, seeds in measured.items() if seeds),
    ]


def _whole_network(runs: list[LoadedRun], quantity: Quantity, title: str) -> Figure:
    groups = curve_groups(runs, lambda run: _curve(run, WHOLE_NETWORK, quantity))
    return _figure(quantity.name.replace(" ", "-"), title, quantity, groups)


def _layers(number: int, seeds: list[LoadedRun]) -> Figure:
    """Each layer's mean cosine over seeds, with a mark for each layer and the algorithm's colour."""
    layers = list(dict.fromkeys(a.layer for run in seeds for a in run.alignment if a.layer != WHOLE_NETWORK))
    groups = [
        CurveGroup(layer, number, mark, {run.name: _curve(run, layer, COSINE) for run in seeds}).as_mean()
        for mark, layer in enumerate(layers)
    ]
    return _figure(f"layers-{number}", f"Cosine by layer: {seeds[0].result.label}", COSINE, groups)


def _figure(id: str, title: str, quantity: Quantity, groups: list[CurveGroup]) -> Figure:
    """With a line at 1, where both meta-gradients agree."""
    at_one = reference("y", 1, dashed=True)
    return curve_figure(f"gradients-{id}", title, "iteration", quantity, groups, [at_one])


def _curve(run: LoadedRun, layer: str, quantity: Quantity) -> Curve:
    field = quantity.name.replace(" ", "_")
    return {a.iteration: (a.iteration, getattr(a, field)) for a in run.alignment if a.layer == layer}
