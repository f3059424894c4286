"""What a part of the benchmark is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Setting:
    """quick: a look, within two minutes for all parts. scratch: a folder of this run, deleted at its end."""

    quick: bool
    scratch: Path

    def few(self, few: T, many: T) -> T:
        return few if self.quick else many
