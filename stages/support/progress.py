"""What a training shows while it runs: a bar on a terminal, a line now and then anywhere else."""

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


class Rate(ProgressColumn):
    """Iterations a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.0f} it/s")


class TrainingProgress(Progress):
    """Iterations done and a second, loss and accuracy of the training tasks, time left."""

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

    def look(self, iteration: int, loss: float, accuracy: float) -> None:
        self.update(self.training, completed=iteration, scores=f"loss {loss:.3f} accuracy {accuracy:.1%}")

    def validated(self, iteration: int, accuracy: float) -> None:
        """Say so where there is no bar."""
        if self.disable:
            print(
                f"{self.title}: iteration {iteration}, validation accuracy {accuracy:.2%}",
                file=sys.stderr,
                flush=True,
            )
