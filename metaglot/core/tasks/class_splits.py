"""The split of the classes into training, validation and test, and its files with names and images."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from metaglot.core.common.atomic_files import atomic_write
from metaglot.core.common.errors import UserError

PARTS = ("train", "validation", "test")
HELD_OUT = 5  # background alphabets for validation, of 30

Split = dict[str, list[str]]  # part: names of its characters, `Alphabet/character01`


@dataclass(frozen=True)
class SplitPart:
    """The drawings of one part of a split.

    images: uint8 [characters, 20, size, size], 255 = full ink, 0 = paper. names: of the characters.
    """

    images: np.ndarray
    names: list[str]


def random_split(names: list[str], seed: int, counts: Sequence[int]) -> Split:
    """Shuffle all characters, given in sorted order, and deal `counts` of them to train, validation and test."""
    if sum(counts) > len(names) or min(counts) < 1:
        requested = " + ".join(f"{part} {count}" for part, count in zip(PARTS, counts, strict=True))
        raise UserError(
            f"split asks for {requested} = {sum(counts)} characters; each needs one, and there are {len(names)}"
        )
    shuffled = list(names)
    Random(seed).shuffle(shuffled)
    ends = np.cumsum([0, *counts])
    return {part: shuffled[a:b] for part, a, b in zip(PARTS, ends[:-1], ends[1:], strict=True)}


def background_split(background: list[str], evaluation: list[str], seed: int) -> Split:
    """Test on the evaluation alphabets, validate on 5 whole background alphabets, train on the others.

    Lake et al. (Science, 2015) meant the background alphabets for learning and the others for evaluation.
    """
    alphabets = sorted({alphabet(name) for name in background})
    if len(alphabets) <= HELD_OUT:
        raise UserError(f"split.kind background holds out {HELD_OUT} background alphabets; there are {len(alphabets)}")
    held_out = set(Random(seed).sample(alphabets, HELD_OUT))
    return {
        "train": [name for name in background if alphabet(name) not in held_out],
        "validation": [name for name in background if alphabet(name) in held_out],
        "test": list(evaluation),
    }


def alphabet(name: str) -> str:
    return name.partition("/")[0]


def split_digest(dataset: str, parts: Mapping[str, SplitPart]) -> str:
    """The sha256 that stands in every result: of the data set's name, and of each part's classes and pixels."""
    canonical = {part: [kept.names, kept.images.shape, _sha256(kept.images.tobytes())] for part, kept in parts.items()}
    text = json.dumps({"dataset": dataset, **canonical}, sort_keys=True, separators=(",", ":"))
    return _sha256(text.encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def save_split_part(path: Path, characters: SplitPart, **also: str) -> None:
    """Write one part, the same bytes for the same content. also: further texts in the same file."""
    arrays: dict[str, Any] = {"images": characters.images, "names": characters.names, **also}
    with atomic_write(path) as beside, beside.open("wb") as file:
        np.savez(file, **arrays)


def load_split_part(path: Path) -> SplitPart:
    """Read one part; raises UserError, naming the file, if it is missing, damaged or no such part."""
    images, names = read(path, "images"), read(path, "names")
    square = images.ndim == 4 and images.shape[2] == images.shape[3]
    if images.dtype != np.uint8 or not square or names.shape != images.shape[:1] or names.dtype.kind != "U":
        shapes = f"images {images.dtype} {images.shape}, names {names.dtype} {names.shape}"
        raise UserError(
            f"{path} is not part of a split ({shapes}); run `python -m stages.preprocess` to write it again"
        )
    return SplitPart(images, names.tolist())


def split_sha256(path: Path) -> str:
    """The digest of the split that a test part belongs to."""
    return str(read(path, "split_sha256"))


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
