"""Ctrl-C and SIGTERM end a training at a moment when its state is consistent."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal asks this process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number  # as shells count
        self.saved = "nothing had to be saved"


class SignalGuard:
    """While entered, the first signal raises Interrupted at once, or at the end of `defer_signals`."""

    def __init__(self) -> None:
        self._depth, self._pending, self._received = 0, 0, False

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._handle) for number in SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    @contextmanager
    def defer_signals(self) -> Iterator[None]:
        """A signal within this context is raised at its end."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._pending and not self._depth:
            number, self._pending = self._pending, 0
            raise Interrupted(number)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._received:
            return
        self._received = True
        if self._depth:
            self._pending = number
        else:
            raise Interrupted(number)
