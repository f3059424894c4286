"""The charts of differences in accuracy: by seed and over seeds, with the equivalence margin."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.figures.svg_chart import INK, LINE, Chart, ChartBuilder, open_chart
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result, wider_interval

MAX_CHARTS = 6  # one for each pair; more pairs share one chart
ROW, TALLEST = 0.22, 4.4  # inches
FAR = 10  # points; a wider axis is logarithmic beyond -1 and 1
FAINT = 0.5  # opacity: visible in light and dark mode, and weaker than the bar over seeds
Bar = tuple[float, float, float]  # a difference and its interval, in points


def differences(pairs: list[Pair], margin: float) -> list[Chart]:
    """A chart for each pair, or one for all pairs."""
    if not pairs:
        return []
    if len(pairs) > MAX_CHARTS:
        return [_all(pairs, margin)]
    return [_of_seeds(number, pair, margin) for number, pair in enumerate(pairs)]


def _of_seeds(number: int, pair: Pair, margin: float) -> Chart:
    result, seeds = pairwise_result(pair, pair["first"]), pair["by_seed"]
    bars = {f"seed {seed['seed']}": _of_seed(seed["accuracy"]) for seed in seeds}
    if len(seeds) > 1:
        bars["over seeds"] = _over_seeds(result)
    title = f"{result.label} minus {result.other}"
    return _chart(f"differences-{number}", title, bars, margin, formatting.difference(result) + ".", len(seeds) > 1)


def _all(pairs: list[Pair], margin: float) -> Chart:
    results = [pairwise_result(pair, pair["first"]) for pair in pairs]
    bars = {f"{result.label} {formatting.MINUS} {result.other}": _over_seeds(result) for result in results}
    alternative = ". ".join(map(formatting.difference, results)) + "."
    return _chart("differences", "Differences in test accuracy", bars, margin, alternative, has_total=False)


def _chart(id: str, title: str, bars: dict[str, Bar], margin: float, alternative: str, has_total: bool) -> Chart:
    """Bars from top to bottom. has_total: the last one is over seeds, so it alone is dark and always named."""
    names, last = list(bars), len(bars) - 1
    row = min(ROW, TALLEST / len(bars)) if has_total else ROW
    with open_chart(id, height=1.1 + row * len(bars)) as drawn:
        for place, (name, bar) in enumerate(bars.items()):
            _bar(drawn, place, name, bar, FAINT if has_total and place < last else 1)
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
        beyond = f"\nlogarithmic beyond {formatting.MINUS}1 and 1" if far else ""
        drawn.label(f"percentage points{beyond}\nright of 0 the first is better", "")
        return drawn.finish(title, alternative)


def _bar(drawn: ChartBuilder, place: int, name: str, bar: Bar, strength: float) -> None:
    difference, low, high = bar
    drawn.axes.plot([low, high], [place, place], color=INK, alpha=strength, linewidth=1.6, solid_capstyle="butt")
    (dot,) = drawn.axes.plot([difference], [place], "o", color=INK, markersize=4)
    drawn.tip(dot, f"{name}: {difference:+.2f} ({low:+.2f} to {high:+.2f})".replace("-", formatting.MINUS))


def _over_seeds(result: PairwiseResult) -> Bar:
    return 100 * result.difference, 100 * result.low, 100 * result.high


def _of_seed(difference: dict[str, Any]) -> Bar:
    low, high = wider_interval(difference)
    return 100 * difference["difference"], 100 * low, 100 * high
