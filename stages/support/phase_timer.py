"""The seconds that each phase of a stage takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from stages.support import device


class PhaseTimer:
    """Counts seconds by phase; an inner phase stops the clock of the outer one."""

    def __init__(self, device: torch.device, *phases: str):
        self.device, self.seconds = device, dict.fromkeys(phases, 0.0)
        self._open: list[str] = []
        self._since = time.monotonic()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        self._count()
        self._open.append(name)
        try:
            yield
            device.synchronise(self.device)
        finally:
            self._count()
            self._open.pop()

    def _count(self) -> None:
        """Add the time since the last count to the innermost phase."""
        now = time.monotonic()
        if self._open and self._open[-1] in self.seconds:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now
