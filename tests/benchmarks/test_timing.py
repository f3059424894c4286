import time

import numpy as np
import pytest

from benchmarks.timing import in_turns, median_interval, spread


def test_things_take_turns_and_every_other_round_goes_backwards() -> None:
    calls: list[str] = []
    in_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3, turn=0)
    assert "".join(calls[-6:]) == "abbaab"


def test_a_short_thing_fills_its_turn_and_a_long_one_is_called_once() -> None:
    calls: list[float] = []

    def work(seconds: float) -> None:
        calls.append(seconds)
        time.sleep(seconds)

    found = in_turns({"short": lambda: work(0.001), "long": lambda: work(0.06)}, repeats=1, turn=0.05)
    assert calls.count(0.06) == 2  # one to warm up
    assert calls.count(0.001) > 5
    assert 0.001 <= found["short"][0] < 0.06 <= found["long"][0]


def test_a_spread_is_the_median_and_the_quartiles() -> None:
    assert spread([5, 1, 2, 4, 3]) == {"median": 3, "low": 2, "high": 4, "repeats": 5}


def test_the_interval_of_a_median_covers_it_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    found = [median_interval(random.exponential(size=9)) for _ in range(400)]
    covered = np.mean([one["low"] <= np.log(2) <= one["high"] for one in found])
    assert covered == pytest.approx(0.961, abs=0.025)  # between the second and the eighth of nine
