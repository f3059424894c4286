"""The write-up that this project redoes: its experiment and the numbers that it printed."""

from dataclasses import asdict, dataclass
from typing import Any

from metaglot.config import ReportConfig
from metaglot.report.runs import Run

DATASET = "omniglot"
WAYS, SHOTS, MODEL, ITERATIONS = 5, 5, "fc", 10_000
TASKS, IMAGES = 32, 800
DEVICE = "GTX 1650 Mobile"


@dataclass(frozen=True)
class Printed:
    """A column of the write-up's table; `train_seconds` counts data loading and validation too."""

    accuracy: float
    loss: float
    train_seconds: float
    device: str = DEVICE

    @property
    def right(self) -> int:
        """Images right of the 800 (32 tasks of 25 queries) that the accuracy is a mean over."""
        return round(self.accuracy * IMAGES)


FOMAML = Printed(accuracy=0.9699, loss=0.10566, train_seconds=23617.31)
MAML = Printed(accuracy=0.9587, loss=0.12392, train_seconds=24875.94)


def redoes(report: ReportConfig) -> bool:
    """Whether the runs are of the write-up's task and network, so that its numbers may stand beside them."""
    task = report.task
    return (report.dataset, task.ways, task.shots, report.model) == (DATASET, WAYS, SHOTS, MODEL)


def printed(report: ReportConfig, run: Run) -> dict[str, Any] | None:
    """What the write-up printed of the algorithm that a run is of, at as many iterations."""
    if not redoes(report) or run.iterations != ITERATIONS or run.algorithm not in ("maml", "fomaml"):
        return None
    return asdict(FOMAML if run.result.first_order else MAML)
