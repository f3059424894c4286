"""The JSON file that the draw page exports: classes, their labelled drawings and their queries, as pen strokes."""

from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from metaglot.core.common.atomic_files import read_text
from metaglot.core.common.errors import UserError
from metaglot.inference.strokes import draw_strokes

Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Stroke = Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=10_000)]
Drawing = Annotated[list[Stroke], Field(max_length=1_000)]
Drawings = Annotated[list[Drawing], Field(max_length=1_000)]


class FileModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DrawnClass(FileModel):
    label: Annotated[str, Field(min_length=1, max_length=100)]
    support: Drawings
    queries: Drawings


class DrawingsFile(FileModel):
    """`format` tells the file from other JSON."""

    format: Literal["metaglot drawings"]
    version: Literal[1]
    classes: Annotated[list[DrawnClass], Field(max_length=1_000)]


class NamedImage(NamedTuple):
    """name: for people, such as `A, query 2`. label: of its class."""

    name: str
    label: str
    pixels: NDArray[np.uint8]


class DrawnTask(NamedTuple):
    support: list[NamedImage]
    queries: list[NamedImage]


def read_drawings_file(path: Path) -> DrawnTask:
    """The labelled images and the queries of a file. Raises UserError if it is not one of the draw page's."""
    content = _read(path)
    labels = [drawn.label for drawn in content.classes]
    if len(set(labels)) < len(labels):
        raise UserError(f"{path} names two classes {max(labels, key=labels.count)!r}: give each its own label")
    support = [image for drawn in content.classes for image in _images(path, drawn, drawn.support, "drawing")]
    queries = [image for drawn in content.classes for image in _images(path, drawn, drawn.queries, "query")]
    if not queries:
        raise UserError(f"{path} has no query: draw what the network should classify")
    return DrawnTask(support, queries)


def _read(path: Path) -> DrawingsFile:
    text = read_text(path)
    try:
        return DrawingsFile.model_validate_json(text)
    except ValidationError as errors:
        first = errors.errors()[0]
        key = ".".join(map(str, first["loc"])) or "the file"
        raise UserError(f"{path} is not a file that the draw page exported: {key}: {first['msg']}") from None


def _images(path: Path, drawn: DrawnClass, drawings: list[Drawing], kind: str) -> list[NamedImage]:
    names = [f"{drawn.label}, {kind} {number}" for number in range(1, len(drawings) + 1)]
    for name, strokes in zip(names, drawings, strict=True):
        if not any(strokes):
            raise UserError(f"{path}: {name} is blank: draw it, or leave it out")
    return [NamedImage(name, drawn.label, draw_strokes(strokes)) for name, strokes in zip(names, drawings, strict=True)]
