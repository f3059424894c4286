"""The parts of a split: the images and names of their classes, the split's digest, and the files."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from metaglot.core.common.atomic_files import atomic_write
from metaglot.core.common.errors import UserError


@dataclass(frozen=True)
class SplitPart:
    """The images of one part of a split.

    images: uint8 [classes, images, size, size], 255 = full ink, 0 = paper; in colour [..., size, size, 3]. names: of
    the classes. counts: of the images of each class where these are unlike: then the first two dimensions are one.
    """

    images: np.ndarray
    names: list[str]
    counts: np.ndarray | None = None

    def of_class(self, number: int) -> np.ndarray:
        """The images of one class."""
        if self.counts is None:
            return self.images[number]
        start = int(self.counts[:number].sum())
        return self.images[start : start + int(self.counts[number])]


def join_classes(images: Mapping[str, np.ndarray], names: list[str]) -> SplitPart:
    """The part of a split that has these of all classes."""
    chosen = [images[name] for name in names]
    counts = np.array([len(of_class) for of_class in chosen])
    if len(set(counts.tolist())) == 1:
        return SplitPart(np.stack(chosen), names)
    return SplitPart(np.concatenate(chosen), names, counts)


def split_digest(dataset: str, parts: Mapping[str, SplitPart]) -> str:
    """The sha256 that stands in every result: of the data set's name, and of each part's classes and pixels."""
    canonical: dict[str, list[Any]] = {
        part: [kept.names, kept.images.shape, _sha256(np.ascontiguousarray(kept.images).data)]
        for part, kept in parts.items()
    }
    for part, kept in parts.items():
        if kept.counts is not None:
            canonical[part].append(kept.counts.tolist())
    text = json.dumps({"dataset": dataset, **canonical}, sort_keys=True, separators=(",", ":"))
    return _sha256(text.encode())


def _sha256(content: bytes | memoryview) -> str:
    return hashlib.sha256(content).hexdigest()


def save_split_part(path: Path, characters: SplitPart, **also: str) -> None:
    """Write one part, the same bytes for the same content. also: further texts in the same file."""
    arrays: dict[str, Any] = {"images": characters.images, "names": characters.names, **also}
    if characters.counts is not None:
        arrays["counts"] = characters.counts
    with atomic_write(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def load_split_part(path: Path) -> SplitPart:
    """Read one part; raises UserError, naming the file, if it is missing, damaged or no such part."""
    images, names, counts = read(path, "images"), read(path, "names"), read_counts(path)
    if images.dtype != np.uint8 or names.dtype.kind != "U" or not _fit(images.shape, names.shape, counts):
        shapes = f"images {images.dtype} {images.shape}, names {names.dtype} {names.shape}"
        raise UserError(
            f"{path} is not part of a split ({shapes}); run `python -m stages.preprocess` to write it again"
        )
    return SplitPart(images, names.tolist(), counts)


def _fit(images: tuple[int, ...], names: tuple[int, ...], counts: np.ndarray | None) -> bool:
    """Whether images of this shape are square, and as many as the names and their counts say."""
    if counts is None:
        classes, square = images[:1], images[2:]
    else:
        whole = counts.dtype.kind == "i" and (counts.sum(),) == images[:1]
        classes, square = counts.shape if whole else (-1,), images[1:]
    return classes == names and len(square) >= 2 and square[0] == square[1] and square[2:] in ((), (3,))


def split_sha256(path: Path) -> str:
    """The digest of the split that a test part belongs to."""
    return str(read(path, "split_sha256"))


def read_counts(path: Path) -> np.ndarray | None:
    """The number of images of each class, in a file whose classes have unlike numbers."""
    with suppress(Exception), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        if "counts" not in arrays.files:
            return None
    return read(path, "counts")


def read(path: Path, key: str) -> np.ndarray:
    if not path.is_file():
        raise UserError(f"{path} is not there: run `python -m stages.preprocess` first")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return arrays[key]
    except Exception as error:  # of a damaged file zipfile, zlib and numpy raise almost anything
        reason = f"{type(error).__name__}: {error}"
        raise UserError(
            f"{path} has no readable `{key}` ({reason[:120]!r}); run `python -m stages.preprocess` to write it again"
        ) from None
