"""Times of things that are to be compared: taken in turns, so that what slows the machine slows them all."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

TURN = 0.3  # seconds, about: how long a thing has the machine before the next one has

Work = Callable[[], Any]
Times = dict[str, NDArray[np.float64]]  # seconds a call, [repeats], by the name of the thing


def in_turns(things: Mapping[str, Work], repeats: int, turn: float = TURN) -> Times:
    """Time each thing `repeats` times, by turns of several calls where one is short; every other round backwards."""
    calls = {name: _calls(work, turn) for name, work in things.items()}
    found: dict[str, list[float]] = {name: [] for name in things}
    for repeat in range(repeats):
        for name in [*things][:: 1 if repeat % 2 == 0 else -1]:
            found[name].append(seconds(things[name], calls[name]))
    return {name: np.array(times) for name, times in found.items()}


def seconds(work: Work, calls: int = 1) -> float:
    """Mean seconds of so many calls."""
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls


def _calls(work: Work, turn: float) -> int:
    """How many calls fill a turn, after a first one that warms up."""
    first = seconds(work)
    return 1 if first > turn else max(1, round(turn / seconds(work)))


def spread(values: ArrayLike) -> dict[str, Any]:
    """Median and quartiles over the repeats, to four digits."""
    values = np.asarray(values)
    low, median, high = (digits(np.quantile(values, at)) for at in (0.25, 0.5, 0.75))
    return {"median": median, "low": low, "high": high, "repeats": values.size}


def median_interval(values: ArrayLike) -> dict[str, Any]:
    """The median over the repeats and its 95% interval, from their order alone (scipy's quantile test)."""
    values = np.asarray(values)
    interval: Any = stats.quantile_test(values, p=0.5).confidence_interval(0.95)
    low, median, high = map(digits, (interval.low, np.median(values), interval.high))
    return {"median": median, "low": low, "high": high, "repeats": values.size}


def digits(value: float | np.floating[Any]) -> float:
    return float(f"{value:.4g}")
