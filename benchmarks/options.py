"""The options that every part of the benchmark gets."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Options:
    """quick: all parts within two minutes. scratch: a folder for this run, deleted at its end."""

    quick: bool
    scratch: Path

    def choose(self, quick: T, full: T) -> T:
        return quick if self.quick else full

    @property
    def turn_seconds(self) -> float:
        return self.choose(0.1, 0.3)
