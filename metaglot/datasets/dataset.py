"""What every data set has in common, and source.json, the record of its raw files."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
from PIL import Image
from pydantic import ValidationError

from metaglot.core.common.atomic_files import read_json, sha256
from metaglot.core.common.errors import UserError, malformed
from metaglot.core.common.stage_configs import StrictModel
from metaglot.datasets.progress_bar import NO_PROGRESS_BAR, ProgressBar

RECORD = "source.json"
AGAIN = "run `python -m stages.download` again"


class Unreachable(UserError):
    """No source of a data set answers; one that gives a wrong answer raises UserError."""


class ArchiveRecord(StrictModel):
    """One archive. content_sha256: of its drawings, however packed. file_sha256, bytes: of the file itself."""

    images: int
    content_sha256: str
    file_sha256: str
    bytes: int


class SourceRecord(StrictModel):
    """source.json. source: an address, a folder, or `generated`. archives: by name, without `.zip`."""

    dataset: str
    source: str
    archives: dict[str, ArchiveRecord]


class RawImages(NamedTuple):
    """Images by class, `group/class`: uint8 [images, size, size], 255 = full ink; sorted by group, then class.

    evaluation: classes that the data set's authors meant for testing; empty where they named none.
    """

    background: dict[str, np.ndarray]
    evaluation: dict[str, np.ndarray]


class Dataset(ABC):
    """A data set: its raw files are zip archives and their record, source.json, in one folder.

    name: in results. archives: names, without `.zip`. side: of a raw image, in pixels. smallest_held_out: classes in
    the smallest validation part of `split.kind: background`, or None if the data set has no such split. fetched_as: the
    data set that has the same raw files and fetches them. made_here: `fetch` draws the images and needs no network.
    """

    name: ClassVar[str]
    archives: ClassVar[Sequence[str]]
    classes: ClassVar[int]
    images_per_class: ClassVar[int]
    side: ClassVar[int]
    smallest_held_out: ClassVar[int | None] = None
    fetched_as: ClassVar[str | None] = None
    made_here: ClassVar[bool] = False

    @property
    def raw_name(self) -> str:
        """The name of the raw files in source.json."""
        return self.fetched_as or self.name

    @abstractmethod
    def fetch(self, to: Path, root: Path, progress: ProgressBar = NO_PROGRESS_BAR) -> SourceRecord:
        """Write the raw archives to an empty folder. root: of the repository; a mirror's path is relative to it."""

    @abstractmethod
    def read(self, folder: Path, size: int, progress: ProgressBar = NO_PROGRESS_BAR) -> RawImages:
        """Read all images at `size` pixels from the raw archives; raises UserError unless they are as fetched."""

    @abstractmethod
    def shrink(self, image: Image.Image, size: int) -> np.ndarray:
        """Shrink one image, such as a user's, as `read` does: uint8 [size, size], 255 = full ink, 0 = paper."""

    def check_source(self, root: Path) -> str:
        """Say which source answers; raises Unreachable if none does."""
        return f"{self.name}: made here, no download"

    def check_raw(self, folder: Path) -> SourceRecord:
        """Return the record of the raw archives; raises UserError unless they are this data set's, as fetched."""
        record = read_source(folder / RECORD)
        if record.dataset != self.raw_name:
            raise UserError(f"{folder} holds {record.dataset}, not {self.raw_name}; {AGAIN}")
        for name in self.archives:
            check_archive(folder, name, record)
        return record


def read_source(path: Path) -> SourceRecord:
    """Read the record; raises UserError where it is missing, malformed or of another kind."""
    try:
        return SourceRecord.model_validate(read_json(path))
    except ValidationError as mistakes:
        raise malformed(path, mistakes, AGAIN) from None


def record_archive(path: Path, images: int, content_sha256: str) -> ArchiveRecord:
    """Return the record of an archive as it is."""
    return ArchiveRecord(
        images=images, content_sha256=content_sha256, file_sha256=sha256(path), bytes=path.stat().st_size
    )


def check_archive(folder: Path, name: str, source: SourceRecord) -> Path:
    """Return the path of an archive; raises UserError unless it is the one on record."""
    path, held = folder / f"{name}.zip", source.archives.get(name)
    if held is None or not path.is_file() or sha256(path) != held.file_sha256:
        state = "changed since it was downloaded" if path.is_file() else "not there"
        raise UserError(f"{path} is {state}; {AGAIN}")
    return path
