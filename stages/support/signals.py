"""Ctrl-C and SIGTERM, which end a training once nothing is half changed."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """Somebody asks this process to end."""

    def __init__(self, number: int):
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number  # as shells count
        self.kept = "nothing had to be saved"


class SignalGuard:
    """While entered, the first signal raises Interrupted wherever the program is, but not within `undisturbed`."""

    def __init__(self) -> None:
        self._depth, self._pending, self._asked = 0, 0, False

    def __enter__(self) -> Self:
        self._before = [signal.signal(number, self._handle) for number in SIGNALS]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in zip(SIGNALS, self._before, strict=True):
            signal.signal(number, handler)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """What is done within is done to its end before anything is raised."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
        if self._pending and not self._depth:
            number, self._pending = self._pending, 0
            raise Interrupted(number)

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self._asked:
            return
        self._asked = True
        if self._depth:
            self._pending = number
        else:
            raise Interrupted(number)
