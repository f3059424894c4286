"""Numbers as text: percentages, percentage points, times, and the sentences that contain them."""

from collections.abc import Callable, Sequence

from metaglot.report.statistics.pairwise_result import PairwiseResult
from metaglot.report.statistics.significance import is_open

MINUS = "\N{MINUS SIGN}"
# The data sets whose classes are characters, by name; of any other a note says what a character is.
OF_CHARACTERS = {
    "omniglot": "Omniglot",
    "omniglot-nearest": "Omniglot (nearest pixels)",
    "glyphs (synthetic)": "glyphs (synthetic)",
}


def percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}%"


def points(difference: float) -> str:
    """A difference of fractions in percentage points, always signed."""
    return f"{round(100 * difference, 2) + 0.0:+.2f}".replace("-", MINUS)


def signed_loss(difference: float) -> str:
    return f"{difference:+.4f}".replace("-", MINUS)


def bounds(interval: Sequence[float] | None, form: Callable[[float], str] = points) -> str:
    """The ends of an interval; nothing without one."""
    if interval is None:
        return ""
    low, high = interval
    return f"{form(low)} to {form(high)}"


def character(name: str) -> str:
    """A readable name: `Old_Church_Slavonic/character12` is Old Church Slavonic 12."""
    return name.replace("/character", " ").replace("_", " ")


def seconds(value: float) -> str:
    return f"{value:,.1f} s"


def several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def listed(names: Sequence[str]) -> str:
    """Names as in prose: `a`, `a and b`, `a, b and c`."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def minus(first: str, second: str) -> str:
    """The name of a difference in tables and charts."""
    return f"{first} {MINUS} {second}"


def p_cell(p: float | None) -> str:
    """A p-value in a table; nothing without a test."""
    return "" if p is None else f"{p:.2g}"


def p_value(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"


def difference(result: PairwiseResult) -> str:
    """The difference in accuracy with its intervals and p-value."""
    minus = f"{result.label} minus {result.other} is {points(result.difference)} points"
    interval = f"95% interval {bounds((result.low, result.high))}"
    if result.p is None:
        return f"{minus} ({interval}, clustered by character, one {result.unit})"
    seeds, p = several(result.seeds, result.unit), p_value(result.p)
    characters = f"; clustered by test character {bounds(result.over_characters)}" if result.over_characters else ""
    corrected = "Holm's " if result.family > 1 else ""
    return f"{minus} ({interval}, over {seeds}{characters}; {corrected}{p})"


def verdict(result: PairwiseResult, margin: float) -> str:
    """The verdict as a sentence."""
    first, second = result.label, result.other
    match result.verdict:
        case "better":
            return f"{first} is more accurate than {second}{_small(result, margin)}."
        case "worse":
            return f"{second} is more accurate than {first}{_small(result, margin)}."
        case "inconclusive":
            pair = f"{first} and {second}"
            return f"The difference between {pair} is inconclusive, and not shown to be below {size(margin)}."
        case _ if is_open(result.verdict):
            pair = f"{first} or {second}"
            return f"One {result.unit} compares two networks. It cannot tell which algorithm is better, {pair}."
        case _:
            return f"{first} and {second} differ by no more than {size(margin)}."


def size(margin: float) -> str:
    return f"{100 * margin:g} points"


def dataset(name: str) -> str:
    return OF_CHARACTERS.get(name, name)


def _small(result: PairwiseResult, margin: float) -> str:
    return f", but by less than the equivalence margin of {size(margin)}" if result.within_margin else ""
