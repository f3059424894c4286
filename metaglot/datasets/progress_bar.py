"""The progress bar that a data set moves: rich's Progress in a stage, none in the library."""

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class ProgressBar(Protocol):
    """The methods of `rich.progress.Progress` that data sets call."""

    def track(self, sequence: Iterable[T], total: float | None = None, *, description: str = "") -> Iterable[T]: ...

    def add_task(self, description: str, *, total: float | None = None) -> Any: ...

    def advance(self, task_id: Any, advance: float = 1) -> None: ...


class NoProgressBar:
    def track(self, sequence: Iterable[T], total: float | None = None, *, description: str = "") -> Iterable[T]:
        return sequence

    def add_task(self, description: str, *, total: float | None = None) -> None:
        pass

    def advance(self, task_id: Any, advance: float = 1) -> None:
        pass


NO_PROGRESS_BAR = NoProgressBar()
