import os
import signal

import pytest

from stages.support.signals import Interrupted, SignalGuard


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_raised_where_it_comes(number):
    with pytest.raises(Interrupted, match=number.name) as asked, SignalGuard():
        os.kill(os.getpid(), number)
    assert asked.value.exit_code == 128 + number


def test_a_signal_within_defer_signals_waits_for_the_end_of_the_outermost():
    done = []
    with pytest.raises(Interrupted), SignalGuard() as interruption, interruption.defer_signals():
        with interruption.defer_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]


def test_a_second_signal_changes_nothing():
    with SignalGuard() as interruption:
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        with interruption.defer_signals():
            os.kill(os.getpid(), signal.SIGTERM)


def test_afterwards_signals_are_handled_as_before():
    before = signal.getsignal(signal.SIGTERM)
    with SignalGuard():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
