"""What is shown while runs are computed: a line for each, and a total with the time left."""

import sys
import time
from dataclasses import dataclass, field

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cluster.plan import Job
from metaglot.report.formatting import several


@dataclass
class Line:
    """What is known of one run."""

    iterations: int
    state: str = "waiting"
    where: str = ""
    detail: str = ""
    first: tuple[float, int] | None = None  # when an iteration was first seen, and which

    def see(self, iteration: int) -> None:
        """Note an iteration; from the second on, tell the time left."""
        now = time.monotonic()
        self.first = self.first or (now, iteration)
        started, begun = self.first
        self.detail = f"iteration {iteration:,} of {self.iterations:,}"
        if iteration > begun:
            self.detail += f", {minutes((now - started) / (iteration - begun) * (self.iterations - iteration))} left"

    def cells(self) -> list[str]:
        return [self.state, self.where, self.detail]


def minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


@dataclass
class Progress:
    """A table on a terminal; elsewhere a line when a run begins or ends."""

    jobs: list[Job]
    iterations: dict[str, int]
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.console = Console(file=sys.stderr)
        self.lines = {job.name: Line(self.iterations[job.algorithm]) for job in self.jobs}
        self.live = Live(console=self.console, auto_refresh=False, get_renderable=self._table)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def say(self, name: str, state: str, where: str = "", detail: str = "") -> None:
        """A run's state has changed."""
        line = self.lines[name]
        line.state, line.where, line.detail, line.first = state, where, detail, None
        if not self.console.is_terminal:
            parts = [part for part in (name, *line.cells(), self._total()) if part]
            print(": ".join(parts), file=sys.stderr, flush=True)

    def see(self, name: str, iteration: int) -> None:
        if iteration:
            self.lines[name].see(iteration)

    def refresh(self) -> None:
        if self.console.is_terminal:
            self.live.refresh()

    def _total(self) -> str:
        ended = sum(line.state in ("done", "failed") for line in self.lines.values())
        left = (time.monotonic() - self.started) / max(ended, 1) * (len(self.lines) - ended)
        return f"{ended} of {several(len(self.lines), 'run')}" + (f", {minutes(left)} left" if ended and left else "")

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for name, line in self.lines.items():
            if line.state not in ("waiting", "done"):
                table.add_row(*map(Text, (name, *line.cells())))
        table.add_row(Text(self._total(), style="bold"))
        return table
