"""Numbers as they are read: percentages, points of difference, times, and the sentences made of them."""

from collections.abc import Sequence

from metaglot.report.statistics.pairwise_result import PairwiseResult

MINUS = "\N{MINUS SIGN}"


def percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}%"


def points(difference: float) -> str:
    """A difference of fractions in percentage points, always signed."""
    return f"{round(100 * difference, 2) + 0.0:+.2f}".replace("-", MINUS)


def character(name: str) -> str:
    """A character's name for people: `Old_Church_Slavonic/character12` is Old Church Slavonic 12."""
    return name.replace("/character", " ").replace("_", " ")


def seconds(value: float) -> str:
    return f"{value:,.1f} s"


def several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(names: Sequence[str]) -> str:
    """Names as in prose: `a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def interval(low: float, high: float) -> str:
    return f"95% interval {points(low)} to {points(high)}"


def difference(standing: PairwiseResult) -> str:
    """The first minus the second, with what it was taken over."""
    what = f"{standing.label} minus {standing.other} is {points(standing.difference)} points"
    bounds = interval(standing.low, standing.high)
    if standing.p is None:
        return f"{what} ({bounds}, clustered by character, one seed)"
    seeds, p = several(standing.seeds, "seed"), p_value(standing.p)
    corrected = "Holm's " if standing.family > 1 else ""
    return f"{what} ({bounds}, over {seeds}{_characters(standing)}; {corrected}{p})"


def _characters(standing: PairwiseResult) -> str:
    """The other uncertainty of several seeds."""
    if standing.over_characters is None:
        return ""
    low, high = standing.over_characters
    return f"; clustered by test character {points(low)} to {points(high)}"


def verdict(standing: PairwiseResult, margin: float) -> str:
    """The verdict as a sentence."""
    first, second = standing.label, standing.other
    match standing.verdict:
        case "better":
            return f"{first} is more accurate than {second}{_small(standing, margin)}."
        case "worse":
            return f"{second} is more accurate than {first}{_small(standing, margin)}."
        case "inconclusive":
            pair = f"{first} and {second}"
            return f"The difference between {pair} is inconclusive, and not shown to be below {size(margin)}."
        case "inconclusive (one seed)":
            return f"One seed compares two networks. It cannot tell which algorithm is better, {first} or {second}."
        case _:
            return f"{first} and {second} differ by no more than {size(margin)}."


def size(margin: float) -> str:
    return f"{100 * margin:g} points"


def dataset(name: str) -> str:
    return {"omniglot": "Omniglot", "omniglot-nearest": "Omniglot (nearest pixels)"}.get(name, name)


def _small(standing: PairwiseResult, margin: float) -> str:
    return f", but by less than the equivalence margin of {size(margin)}" if standing.within_margin else ""
