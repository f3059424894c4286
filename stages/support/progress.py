"""The progress of a training: a bar on a terminal, a line for each validation elsewhere."""

import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from metaglot.core.common.run_records import HistoryRow


class Rate(ProgressColumn):
    """Iterations per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.0f} it/s")


class TrainingProgress(Progress):
    """Iterations done and per second, loss and accuracy on the training tasks, time left."""

    def __init__(self, title: str, iterations: int):
        console = Console(file=sys.stderr)
        scores = TextColumn("{task.fields[scores]}")
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(),
            scores,
            TimeRemainingColumn(),
        )
        super().__init__(*columns, console=console, disable=not console.is_terminal)
        self.title, self.training = title, self.add_task(title, total=iterations, scores="")

    def show(self, iteration: int, loss: float, accuracy: float) -> None:
        self.update(self.training, completed=iteration, scores=f"loss {loss:.3f} accuracy {accuracy:.1%}")

    def show_validation(self, row: HistoryRow) -> None:
        """Print a line if there is no bar; not for the untrained network."""
        if self.disable and row.iteration:
            line = f"{self.title}: iteration {row.iteration}, validation accuracy {row.validation_accuracy:.2%}"
            print(line, file=sys.stderr, flush=True)
