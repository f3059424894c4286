import time

import pytest
import torch

from stages.support.phase_timer import PhaseTimer


def test_each_phase_has_its_own_time_and_an_inner_one_stops_the_outer():
    started = time.monotonic()
    watch = PhaseTimer(torch.device("cpu"), "outer", "inner")
    with watch.phase("outer"):
        time.sleep(0.05)
        with watch.phase("inner"):
            time.sleep(0.2)
        with watch.phase("uncounted"):
            time.sleep(0.2)
    elapsed, counted = time.monotonic() - started, watch.seconds
    assert set(counted) == {"outer", "inner"} and counted["outer"] >= 0.05 and counted["inner"] >= 0.2
    assert sum(counted.values()) <= elapsed - 0.2


def test_a_phase_that_fails_is_counted_too():
    watch = PhaseTimer(torch.device("cpu"), "one")
    with pytest.raises(ZeroDivisionError), watch.phase("one"):
        time.sleep(0.05)
        raise ZeroDivisionError
    assert watch.seconds["one"] >= 0.05
