"""What is shown while runs are computed: a line for each, and a total with the time left."""

import re
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cluster.plan import Job

ITERATION = re.compile(r"iteration (\d+)")


class Progress:
    """A table on a terminal; elsewhere a line when a run begins or ends."""

    def __init__(self, jobs: list[Job]):
        self.console = Console(file=sys.stderr)
        self.rows = {job.name: ["waiting", "", ""] for job in jobs}
        self.started = time.monotonic()
        self.live = Live(console=self.console, auto_refresh=False, get_renderable=self._table)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.console.is_terminal:
            self.live.stop()

    def say(self, job: Job, state: str, where: str = "", detail: str = "") -> None:
        """A run's state has changed."""
        self.rows[job.name] = [state, where, detail]
        if self.console.is_terminal:
            self.live.refresh()
        else:
            parts = [part for part in (job.name, state, where, detail, self._total()) if part]
            print(": ".join(parts), file=sys.stderr, flush=True)

    def watch(self, job: Job, log: Path) -> None:
        """Show the last iteration that a run's log tells."""
        if self.console.is_terminal and log.exists():
            found = ITERATION.findall(log.read_text(errors="replace"))
            self.rows[job.name][2] = f"iteration {found[-1]}" if found else ""
            self.live.refresh()

    def show(self, runs: set[str], seen: dict[str, tuple[str, str]]) -> None:
        """Show where runs are that are computed elsewhere."""
        for name in runs & seen.keys():
            self.rows[name] = ["running", *seen[name]]
        if self.console.is_terminal:
            self.live.refresh()

    def _total(self) -> str:
        ended = sum(state in ("done", "failed") for state, _, _ in self.rows.values())
        total = f"{ended} of {len(self.rows)} runs"
        if not ended:
            return total
        left = (time.monotonic() - self.started) / ended * (len(self.rows) - ended)
        return f"{total}, {left / 60:.0f} min left" if left else total

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        active = {name: row for name, row in self.rows.items() if row[0] not in ("waiting", "done")}
        for name, row in active.items():
            table.add_row(*map(Text, (name, *row)))
        table.add_row(Text(self._total(), style="bold"))
        return table
