"""Shared parts of the charts: curves over seeds, and axes for accuracy and loss."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray

from metaglot.report import formatting
from metaglot.report.figures.svg_chart import ChartBuilder, colour, marker
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.pairs import by_algorithm

Curve = Mapping[int, tuple[float, float]]  # a point by iteration or step
Points = NDArray[np.float64]  # [points, 2]
MAX_CURVES = 5  # more seeds become a band
TICKS = np.array([0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995])
CEILING = 1.002  # keeps an accuracy of 1 on an axis that is logarithmic in the error


def series(runs: list[LoadedRun]) -> list[list[LoadedRun]]:
    """The runs of each algorithm; its position in this list decides its colour everywhere."""
    return [list(seeds.values()) for seeds in by_algorithm(runs).values()]


def draw_curves(
    chart: ChartBuilder, runs: list[LoadedRun], number: int, curve: Callable[[LoadedRun], Curve], mark: str = ""
) -> float | None:
    """Draw an algorithm's curves (or a band if there are many) and their mean; return the mean's last value.

    mark: a text after its name in the legend.
    """
    curves = {run.name: points_of_run for run in runs if (points_of_run := curve(run))}
    if not curves:
        return None
    points, label = stack_curves(curves.values()), runs[0].result.label
    mean = points.mean(axis=0)
    if len(curves) > MAX_CURVES:
        x, low, high = mean[:, 0], points[..., 1].min(axis=0), points[..., 1].max(axis=0)
        band = chart.axes.fill_between(x, low, high, color=colour(number), alpha=0.2, linewidth=0)
        chart.tip(band, f"{label}: lowest and highest of {len(curves)} seeds")
    elif len(curves) > 1:
        for name, curve_points in zip(curves, points, strict=True):
            (line,) = chart.axes.plot(*curve_points.T, color=colour(number), linewidth=0.8, alpha=0.5)
            chart.tip(line, name)
    (line,) = chart.axes.plot(*mean.T, color=colour(number), marker=marker(number), linewidth=1.6, label=label + mark)
    chart.tip(line, f"{label}, mean of {len(curves)} seeds" if len(curves) > 1 else next(iter(curves)))
    return float(mean[-1, 1])


def stack_curves(curves: Iterable[Curve]) -> Points:
    """[curves, points, 2], at the iterations or steps that all curves have."""
    curves = list(curves)
    common = sorted(set.intersection(*(set(curve) for curve in curves)))
    return np.array([[curve[key] for key in common] for curve in curves]).reshape(len(curves), len(common), 2)


def accuracy_axis(axes: Axes) -> None:
    """Logarithmic in the error: 96% to 98% is as long as 92% to 96%."""
    low, high = axes.dataLim.intervaly
    high += (CEILING - high) / 3
    axes.set_yscale(
        "function", functions=(lambda a: -np.log10(np.maximum(CEILING - a, 1e-6)), lambda y: CEILING - 10**-y)
    )
    axes.set_ylim(low - (CEILING - low) / 50, high)
    ticks = TICKS[(low <= TICKS) & (high >= TICKS)]
    axes.set_yticks(ticks, [f"{100 * tick:g}%" for tick in ticks])


def loss_axis(axes: Axes) -> None:
    """Logarithmic, with ticks at 1, 2 and 5 times each power of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def ends(last_values: Mapping[str, float | None], form: Callable[[float], str] = formatting.percent) -> str:
    """The last values of the curves as a sentence."""
    values = ((label, value) for label, value in last_values.items() if value is not None)
    return "; ".join(f"{label} ends at {form(value)}" for label, value in values) + "."
