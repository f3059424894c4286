"""Linear and logarithmic axes; the ticks of a logarithmic one stay readable at any zoom."""

from collections.abc import Callable, Iterable

import altair as alt

CEILING = 1.002  # keeps an accuracy of 1 on an axis that is logarithmic in the error
FAR = 0.1  # accuracies further apart have an axis that is logarithmic in the error
ACCURACIES = (0, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 1)
PADDING = 8  # pixels around the marks
FEW = 3  # a domain whose ends have a smaller ratio has evenly spaced ticks


def accuracy_axis(accuracies: list[float], *notes: str) -> tuple[alt.X, Callable[[str], str]]:
    """The axis of the field `drawn`, and the expression of what it draws of an accuracy; notes: further title lines."""
    if max(accuracies) - min(accuracies) > FAR:
        scale, axis = error_axis("x", ["test accuracy, logarithmic in the error", *notes])
        return alt.X("drawn:Q", scale=scale, axis=axis), error_of
    scale, axis = linear_axis("x", ["test accuracy", *notes])
    axis.format = "~%"
    return alt.X("drawn:Q", scale=scale, axis=axis), str


def error_of(accuracy: str) -> str:
    """The expression of what an axis that is logarithmic in the error shows."""
    return f"{CEILING} - {accuracy}"


def error_axis(channel: str, title: str | list[str]) -> tuple[alt.Scale, alt.Axis]:
    """An accuracy, logarithmic in the error: 96% to 98% is as long as 92% to 96%."""
    ticks = _ticks(channel, (CEILING - accuracy for accuracy in ACCURACIES), CEILING)
    label = f"format({CEILING} - datum.value, '.4~%')"
    scale = alt.Scale(type="log", reverse=True, nice=False, padding=PADDING)
    return scale, alt.Axis(title=title, values=ticks, labelExpr=label, labelOverlap="greedy")


def linear_axis(_: str, title: str | list[str]) -> tuple[alt.Scale, alt.Axis]:
    """Around the values; 0 need not be on it."""
    return alt.Scale(zero=False, nice=False, padding=PADDING), alt.Axis(title=title)


def log_axis(channel: str, title: str | list[str]) -> tuple[alt.Scale, alt.Axis]:
    """Logarithmic, with ticks at 1, 2 and 5 times each power of ten."""
    ticks = _ticks(channel, (digit * 10.0**power for power in range(-6, 4) for digit in (1, 2, 5)), 0)
    return alt.Scale(type="log", nice=False, padding=PADDING), alt.Axis(
        title=title, values=ticks, labelExpr="format(datum.value, '~g')"
    )


def _ticks(channel: str, fixed: Iterable[float], origin: float) -> alt.ExprRef:
    """Fixed ticks; a narrow domain has ticks at round distances from the origin."""
    ends = f"domain('{channel}')"
    low, high = f"min({ends}[0], {ends}[1])", f"max({ends}[0], {ends}[1])"
    span = f"({high} - {low})"
    power = f"pow(10, floor(log({span}) / LN10))"
    step = f"({power} * ({span} < 2 * {power} ? 0.2 : {span} < 5 * {power} ? 0.5 : 1))"
    even = f"sequence({origin} + ceil(({low} - {origin}) / {step}) * {step}, {high}, {step})"
    return alt.ExprRef(f"{high} < {FEW} * {low} ? {even} : [{', '.join(f'{tick:.7g}' for tick in fixed)}]")
