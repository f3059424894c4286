"""What charts of several algorithms have in common: curves over seeds, and an axis for accuracies."""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import NDArray

from metaglot.report import formatting
from metaglot.report.figures.svg_chart import ChartBuilder, colour, marker
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.pairs import by_algorithm

Curve = Mapping[int, tuple[float, float]]  # by iteration or step: a point
Points = NDArray[np.float64]  # [points, 2]
FEW = 5  # seeds whose curves are drawn one by one; more become a band
TICKS = np.array([0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995])
CEILING = 1.002  # keeps an accuracy of 1 on an axis that is logarithmic in the error


def series(runs: list[LoadedRun]) -> list[list[LoadedRun]]:
    """The runs of each algorithm; its place in this list is its colour everywhere."""
    return [list(seeds.values()) for seeds in by_algorithm(runs).values()]


def draw_curves(
    canvas: ChartBuilder, runs: list[LoadedRun], number: int, curve: Callable[[LoadedRun], Curve], mark: str = ""
) -> float | None:
    """Draw an algorithm's curves, of a few seeds or the band of many, and their mean; return where that ends.

    mark: what stands after its name in the legend.
    """
    curves = {run.name: found for run in runs if (found := curve(run))}
    if not curves:
        return None
    drawn, label = together(curves.values()), runs[0].result.label
    mean = drawn.mean(axis=0)
    if len(curves) > FEW:
        band = canvas.axes.fill_between(
            mean[:, 0],
            drawn[..., 1].min(axis=0),
            drawn[..., 1].max(axis=0),
            color=colour(number),
            alpha=0.2,
            linewidth=0,
        )
        canvas.tip(band, f"{label}: lowest and highest of {len(curves)} seeds")
    elif len(curves) > 1:
        for name, points in zip(curves, drawn, strict=True):
            (line,) = canvas.axes.plot(*points.T, color=colour(number), linewidth=0.8, alpha=0.5)
            canvas.tip(line, name)
    (line,) = canvas.axes.plot(*mean.T, color=colour(number), marker=marker(number), linewidth=1.6, label=label + mark)
    canvas.tip(line, f"{label}, mean of {len(curves)} seeds" if len(curves) > 1 else next(iter(curves)))
    return float(mean[-1, 1])


def together(curves: Iterable[Curve]) -> Points:
    """[curves, points, 2], at the iterations or steps that all of them have."""
    curves = list(curves)
    common = sorted(set.intersection(*(set(curve) for curve in curves)))
    return np.array([[curve[key] for key in common] for curve in curves]).reshape(len(curves), len(common), 2)


def accuracy_axis(axes: Axes) -> None:
    """Logarithmic in the error: from 96% to 98% is as far as from 92% to 96%."""
    low, high = axes.dataLim.intervaly
    high += (CEILING - high) / 3
    axes.set_yscale(
        "function", functions=(lambda a: -np.log10(np.maximum(CEILING - a, 1e-6)), lambda y: CEILING - 10**-y)
    )
    axes.set_ylim(low - (CEILING - low) / 50, high)
    ticks = TICKS[(low <= TICKS) & (high >= TICKS)]
    axes.set_yticks(ticks, [f"{100 * tick:g}%" for tick in ticks])


def loss_axis(axes: Axes) -> None:
    """Logarithmic, with a number at 1, 2 and 5 times each power of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())


def ends(last: Mapping[str, float | None], form: Callable[[float], str] = formatting.percent) -> str:
    """In words, where curves end."""
    return "; ".join(f"{label} ends at {form(value)}" for label, value in last.items() if value is not None) + "."
