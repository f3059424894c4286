"""The charts of differences in accuracy: by seed and over seeds, with the equivalence margin."""

from typing import Any

import altair as alt

from metaglot.charts.interaction import tooltip, zoom
from metaglot.report import formatting
from metaglot.report.figures.common import tidy
from metaglot.report.figures.figure import PAGE, Figure, reference, rows_of, specify
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result, shown_interval

MAX_FIGURES = 6  # one for each pair; more pairs share one figure
ROW, TALLEST, AROUND = 20, 400, 84  # pixels
FAR = 10  # points; a wider axis is logarithmic beyond -1 and 1
FAINT = 0.5  # opacity: visible in light and dark mode, and weaker than the bar over seeds
DIRECTION = "right of 0 the first is better"
Bar = dict[str, Any]  # a difference and its interval, in points


def differences(pairs: list[Pair], margin: float) -> list[Figure]:
    """A figure for each pair, or one for all pairs."""
    if not pairs:
        return []
    if len(pairs) > MAX_FIGURES:
        return [_all(pairs, margin)]
    return [_of_seeds(number, pair, margin) for number, pair in enumerate(pairs)]


def _of_seeds(number: int, pair: Pair, margin: float) -> Figure:
    result, seeds = pairwise_result(pair, pair["first"]), pair["by_seed"]
    bars = [_of_seed(f"seed {seed['seed']}", seed["accuracy"]) for seed in seeds]
    if len(seeds) > 1:
        bars.append(_over_seeds("over seeds", result))
    title = f"{result.label} minus {result.other}"
    return _figure(f"differences-{number}", title, bars, margin, formatting.difference(result) + ".", len(seeds) > 1)


def _all(pairs: list[Pair], margin: float) -> Figure:
    results = [pairwise_result(pair, pair["first"]) for pair in pairs]
    bars = [_over_seeds(formatting.minus(result.label, result.other), result) for result in results]
    words = ". ".join(map(formatting.difference, results)) + "."
    return _figure("differences", "Differences in test accuracy", bars, margin, words, has_total=False)


def _figure(id: str, title: str, bars: list[Bar], margin: float, alternative: str, has_total: bool) -> Figure:
    """Bars from top to bottom. has_total: the last one is over seeds, so it alone is dark and always named."""
    height = min(ROW, TALLEST / len(bars)) if has_total else ROW
    layers = _layers(bars, margin, has_total, all_named=height == ROW)
    return Figure(id, title, alternative, specify(layers, {"bars": bars}, round(AROUND + height * len(bars))), [])


def _layers(bars: list[Bar], margin: float, has_total: bool, all_named: bool) -> list[alt.Chart]:
    names = [bar["name"] for bar in bars]
    far = max(abs(bar[end]) for bar in bars for end in ("low", "high")) > FAR
    title = ["percentage points", *([f"logarithmic beyond {formatting.MINUS}1 and 1"] if far else []), DIRECTION]
    scale = alt.Scale(type="symlog", constant=1) if far else alt.Scale(padding=8, nice=False)
    x = alt.X(
        "low:Q", title=title, scale=scale, axis=alt.Axis(labelExpr="format(datum.value, '~g')", titleAnchor="end")
    )
    axis = alt.Axis(grid=False, ticks=False, values=names if all_named else names[-1:])
    y = alt.Y("name:N", title=None, scale=alt.Scale(domain=names), axis=axis)
    tip = tooltip({"title": ("name", ""), "difference, points": ("text", "")})
    strength = alt.value(alt.ExprRef(f"datum.total ? 1 : {FAINT}")) if has_total else alt.value(1)
    base = rows_of("bars").encode(y=y, tooltip=tip)
    return [
        _margin(100 * margin).encode(x=x),
        reference("x", 0),
        base.mark_rule(color=PAGE.ink, strokeWidth=2, clip=True).encode(x=x, x2="high", opacity=strength),
        base.mark_point(color=PAGE.ink, filled=True, opacity=1, size=50, clip=True)
        .encode(x="difference:Q")
        .add_params(zoom("x")),
    ]


def _margin(points: float) -> alt.Chart:
    """The equivalence margin as a band."""
    band = alt.Chart(alt.InlineData(values=[{"low": -points, "high": points}]))
    return band.mark_rect(color=PAGE.line, opacity=0.45, clip=True).encode(x2="high")


def _bar(name: str, difference: float, low: float, high: float, total: bool = False) -> Bar:
    """All in percentage points."""
    text = f"{difference:+.2f} ({low:+.2f} to {high:+.2f})".replace("-", formatting.MINUS)
    points = {"difference": tidy(difference), "low": tidy(low), "high": tidy(high)}
    return {"name": name, "text": text, "total": total} | points


def _over_seeds(name: str, result: PairwiseResult) -> Bar:
    return _bar(name, 100 * result.difference, 100 * result.low, 100 * result.high, total=True)


def _of_seed(name: str, difference: dict[str, Any]) -> Bar:
    low, high = shown_interval(difference)
    return _bar(name, 100 * difference["difference"], 100 * low, 100 * high)
