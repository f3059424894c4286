import time

import numpy as np
import pytest

from benchmarks.timing import interleaved, median_interval, quartiles


def test_cases_are_timed_alternately_and_every_other_round_goes_backwards() -> None:
    calls: list[str] = []
    interleaved({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3, turn_seconds=0)
    assert "".join(calls[-6:]) == "abbaab"


def test_a_short_case_fills_its_turn_and_a_long_one_is_called_once() -> None:
    calls: list[float] = []

    def work(seconds: float) -> None:
        calls.append(seconds)
        time.sleep(seconds)

    times = interleaved({"short": lambda: work(0.001), "long": lambda: work(0.06)}, repeats=1, turn_seconds=0.05)
    assert calls.count(0.06) == 2  # one to warm up
    assert calls.count(0.001) > 5
    assert 0.001 <= times["short"][0] < 0.06 <= times["long"][0]


def test_quartiles_have_the_median_between_them() -> None:
    assert quartiles([5, 1, 2, 4, 3]) == {"median": 3, "low": 2, "high": 4, "repeats": 5}


def test_the_interval_of_a_median_covers_it_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    intervals = [median_interval(random.exponential(size=9)) for _ in range(400)]
    covered = np.mean([interval["low"] <= np.log(2) <= interval["high"] for interval in intervals])
    assert covered == pytest.approx(0.961, abs=0.025)  # between the second and the eighth of nine
