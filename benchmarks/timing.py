"""Times of cases that are compared: timed alternately, so that whatever slows the machine slows all of them."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Work = Callable[[], Any]
Values = NDArray[np.float64] | list[float]
Times = dict[str, NDArray[np.float64]]  # seconds a call, [repeats], by the name of the case


def interleaved(cases_to_time: Mapping[str, Work], repeats: int, turn_seconds: float = 0.3) -> Times:
    """Time the cases in turn, `repeats` times each; every other round goes backwards. A short case is called often."""
    calls = {name: _calls_a_turn(work, turn_seconds) for name, work in cases_to_time.items()}
    times: dict[str, list[float]] = {name: [] for name in cases_to_time}
    for repeat in range(repeats):
        for name in [*cases_to_time][:: 1 if repeat % 2 == 0 else -1]:
            times[name].append(seconds_a_call(cases_to_time[name], calls[name]))
    return {name: np.array(seconds) for name, seconds in times.items()}


def seconds_a_call(work: Work, calls: int = 1) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        work()
    return (time.perf_counter() - start) / calls


def _calls_a_turn(work: Work, turn_seconds: float) -> int:
    """How many calls fill a turn, after a first call that warms up."""
    first = seconds_a_call(work)
    return 1 if first > turn_seconds else max(1, round(turn_seconds / seconds_a_call(work)))


def quartiles(values: Values) -> dict[str, Any]:
    """Median and quartiles over the repeats, to four digits."""
    return _summary(values, *np.quantile(values, (0.25, 0.5, 0.75)))


def quartiles_of_all(times: Times) -> dict[str, dict[str, Any]]:
    return {name: quartiles(seconds) for name, seconds in times.items()}


def median_interval(values: Values) -> dict[str, Any]:
    """The median over the repeats and its 95% interval, from their order alone (scipy's quantile test)."""
    interval: Any = stats.quantile_test(np.asarray(values), p=0.5).confidence_interval(0.95)
    return _summary(values, interval.low, np.median(values), interval.high)


def _summary(values: Values, *ends: float) -> dict[str, Any]:
    low, median, high = (float(f"{end:.4g}") for end in ends)
    return {"median": median, "low": low, "high": high, "repeats": np.size(values)}
