"""How large the differences are: of each seed's two networks, and over seeds; with the margin that would not matter."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.figures.svg_chart import INK, LINE, Chart, ChartBuilder, open_chart
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result, wider_interval

FEW = 6  # pairs that get a chart of their seeds; more share one
ROW, TALLEST = 0.22, 4.4  # inches
FAR = 10  # points: beyond, the axis is logarithmic outside of -1 to 1
FAINT = 0.5  # of the ink: seen on light and on dark, and weaker than what sums up
Bar = tuple[float, float, float]  # a difference and its interval, in points


def differences(pairs: list[Pair], margin: float) -> list[Chart]:
    """A chart a pair, or one of all pairs."""
    if not pairs:
        return []
    if len(pairs) > FEW:
        return [_all(pairs, margin)]
    return [_of_seeds(number, pair, margin) for number, pair in enumerate(pairs)]


def _of_seeds(number: int, pair: Pair, margin: float) -> Chart:
    found, seeds = pairwise_result(pair, pair["first"]), pair["by_seed"]
    bars = {f"seed {seed['seed']}": _percent(seed["accuracy"]) for seed in seeds}
    if len(seeds) > 1:
        bars["over seeds"] = _of(found)
    title = f"{found.label} minus {found.other}"
    return _chart(f"differences-{number}", title, bars, margin, formatting.difference(found) + ".", len(seeds) > 1)


def _all(pairs: list[Pair], margin: float) -> Chart:
    found = [pairwise_result(pair, pair["first"]) for pair in pairs]
    bars = {f"{one.label} {formatting.MINUS} {one.other}": _of(one) for one in found}
    said = ". ".join(formatting.difference(one) for one in found) + "."
    return _chart("differences", "Differences in test accuracy", bars, margin, said, summed_up=False)


def _chart(id: str, title: str, bars: dict[str, Bar], margin: float, said: str, summed_up: bool) -> Chart:
    """Bars from top to bottom; where the last sums up the others it alone is dark, and named if there are many."""
    names, last = list(bars), len(bars) - 1
    row = min(ROW, TALLEST / len(bars)) if summed_up else ROW
    with open_chart(id, height=1.1 + row * len(bars)) as drawn:
        for place, (name, bar) in enumerate(bars.items()):
            _bar(drawn, place, name, bar, FAINT if summed_up and place < last else 1)
        axes = drawn.axes
        axes.axvspan(-100 * margin, 100 * margin, color=LINE, alpha=0.45, linewidth=0)
        axes.axvline(0, color=INK, linewidth=0.8)
        far = max(map(abs, axes.dataLim.intervalx)) > FAR
        if far:
            axes.set_xscale("symlog", linthresh=1)
            axes.xaxis.set_major_formatter("{x:g}")
        axes.set_yticks(*((range(len(bars)), names) if row == ROW else ([last], names[last:])))
        axes.set_ylim(len(bars) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        beyond = f", logarithmic beyond {formatting.MINUS}1 and 1" if far else ""
        drawn.label(f"percentage points{beyond}\nright of 0 the first is better", "")
        return drawn.finish(title, said)


def _bar(drawn: ChartBuilder, place: int, name: str, bar: Bar, strength: float) -> None:
    difference, low, high = bar
    drawn.axes.plot([low, high], [place, place], color=INK, alpha=strength, linewidth=1.6, solid_capstyle="butt")
    (dot,) = drawn.axes.plot([difference], [place], "o", color=INK, markersize=4)
    drawn.tip(dot, f"{name}: {difference:+.2f} ({low:+.2f} to {high:+.2f})".replace("-", formatting.MINUS))


def _of(found: PairwiseResult) -> Bar:
    return 100 * found.difference, 100 * found.low, 100 * found.high


def _percent(difference: dict[str, Any]) -> Bar:
    low, high = wider_interval(difference)
    return 100 * difference["difference"], 100 * low, 100 * high
