"""The records that training and evaluation leave behind, read back whole or refused by name."""

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metaglot.core.common.atomic_files import read_text, write_text
from metaglot.core.common.errors import malformed
from metaglot.core.common.stage_configs import SplitRef, Steps, TaskConfig, TrainingConfig

RESTORE = "restore it, or run `dvc repro`"

Fraction = Annotated[float, Field(ge=0, le=1)]
NotNegative = Annotated[float, Field(ge=0)]
Milliseconds = Annotated[int, Field(ge=0, lt=2**53)]


class Record(BaseModel):
    """A mapping with at least these keys: what else a record says is kept."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", allow_inf_nan=False)


class Config(Record):
    """What a training was asked to do: its train.yaml, all of it, and its seed."""

    dataset: str
    model: str
    task: TaskConfig
    split: SplitRef
    train: TrainingConfig


class Parity(Record):
    """What comparing the first meta-gradient with the reference's gave."""

    relative_difference: NotNegative | None = None


class RunRecord(Record):
    """`run.json`: what a training took, in seconds; when it began and ended, in ms since the epoch (UTC)."""

    algorithm: str
    label: str
    seed: int
    started_at: Milliseconds
    ended_at: Milliseconds
    train_seconds: NotNegative
    validation_seconds: NotNegative
    setup_seconds: NotNegative
    iterations_per_second: NotNegative
    peak_memory_mb: NotNegative | None
    device: str
    threads: int
    processes: int
    versions: dict[str, str]
    commit: str | None
    resumed: int
    parity: Parity | None
    config: Config


class AdaptationRecord(Record):
    """`adaptation.json`: how many steps the test adapted, and the weights that it tested."""

    adaptation_steps: Steps
    weights_sha256: str


class HistoryRow(BaseModel):
    """A row of history.csv; a cell is empty where nothing was measured."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    iteration: Annotated[int, Field(ge=0, lt=2**53)]
    seconds: Annotated[float, Field(ge=0, lt=2**33)]
    train_loss: float | None
    train_accuracy: Fraction | None
    validation_loss: float | None
    validation_accuracy: Fraction | None
    gradient_norm: NotNegative | None


class AlignmentRow(NamedTuple):
    """A row of alignment.csv: the approximate and the exact meta-gradient of one layer, or of the network.

    norm_ratio: the approximate gradient's norm divided by the exact gradient's. The approximate gradient is of first
    order, unless the algorithm defines another.
    """

    iteration: int
    layer: str
    cosine: float
    norm_ratio: float


WHOLE_NETWORK = "all"  # the `layer` of a row about all parameters

Kind = TypeVar("Kind", bound=BaseModel)


def read_record(kind: type[Kind], path: Path, remedy: str = RESTORE) -> Kind:
    """Read a record from JSON; one that is missing, malformed or not a `kind` is an error with the remedy."""
    text = read_text(path)
    with _refusing(str(path), remedy):
        return kind.model_validate_json(text)


def write_history(path: Path, rows: Iterable[HistoryRow]) -> None:
    _write_csv(path, HistoryRow.model_fields, (row.model_dump().values() for row in rows))


def write_alignment(path: Path, rows: Iterable[AlignmentRow]) -> None:
    _write_csv(path, AlignmentRow._fields, rows)


def _write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    write_text(path, text.getvalue())


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a history.csv by column, without empty cells; one that is not right is refused by line."""
    rows = csv.DictReader(read_text(path).splitlines(), restval="missing")
    moments = []
    for row in rows:
        with _refusing(f"{path}, line {rows.line_num}"):
            moments.append(HistoryRow.model_validate({name: cell or None for name, cell in row.items()}))
    return [moment.model_dump(exclude_none=True) for moment in moments]


@contextmanager
def _refusing(place: str, remedy: str = RESTORE) -> Iterator[None]:
    try:
        yield
    except ValidationError as mistakes:
        raise malformed(place, mistakes, remedy) from None
