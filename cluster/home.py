"""An actor at home: it knows where runs are, and keeps their checkpoints in a folder at home."""

from contextlib import suppress
from pathlib import Path

from metaglot.core.common.atomic_files import write_bytes

Checkpoints = dict[str, bytes]  # the last checkpoint of each training, by the name of its folder


class Home:
    """What workers report to. A run that starts again, on any node, gets its last checkpoint from here."""

    def __init__(self, checkpoints: Path) -> None:
        self.checkpoints = checkpoints
        self.places: dict[str, tuple[str, int]] = {}

    def report(self, run: str, node: str, iteration: int, checkpoints: Checkpoints) -> None:
        self.places[run] = node, iteration
        save(self.checkpoints, checkpoints)

    def running(self) -> dict[str, tuple[str, int]]:
        """The node and the iteration of each run that reported."""
        return self.places

    def load(self, run: str) -> Checkpoints:
        return load(self.checkpoints, run)


def load(folder: Path, run: str) -> Checkpoints:
    checkpoints = {}
    for path in folder.glob(f"{run}-*/last"):
        with suppress(FileNotFoundError):  # the training renames it while it saves the next
            checkpoints[path.parent.name] = path.read_bytes()
    return checkpoints


def save(folder: Path, checkpoints: Checkpoints) -> None:
    for name, content in checkpoints.items():
        write_bytes(folder / name / "last", content)
