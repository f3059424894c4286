"""Omniglot for both sides: extracted for torchvision, which opens a file for each drawing, and in memory for us."""

import os
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from torchvision.datasets import Omniglot

from benchmarks.cases import CPU
from metaglot.core.common.errors import UserError
from metaglot.core.tasks.image_store import ImageStore
from metaglot.datasets.dataset import read_source
from metaglot.datasets.omniglot import md5
from metaglot.datasets.omniglot_layout import BACKGROUND, EVALUATION, shrink_drawing
from metaglot.datasets.omniglot_mirrors import MIRROR, FolderMirror, mirror_at
from metaglot.datasets.omniglot_zip import DRAWINGS, read_drawings
from stages.support import paths

MEASURED = 200  # characters, of which the tasks are drawn where their number does not count


def archives() -> Path:
    """The folder that holds Omniglot's two archives: the mirror, or data/raw."""
    mirror = mirror_at(os.environ[MIRROR], paths.root()) if os.environ.get(MIRROR) else None
    if isinstance(mirror, FolderMirror):
        return mirror.path
    if paths.SOURCE.exists() and read_source(paths.SOURCE).dataset == "omniglot":
        return paths.RAW
    raise UserError(f"this needs Omniglot's archives: `dvc repro download` for {paths.RAW}, or a folder in {MIRROR}")


@cache
def in_memory() -> np.ndarray:
    """Every drawing, uint8 [1623, 20, 28, 28], characters in a shuffled order."""
    folder = archives()
    inks = [
        shrink_drawing(drawing, 28)
        for archive in (BACKGROUND, EVALUATION)
        for _, drawing in read_drawings(folder / f"{archive.folder}.zip", archive.folder, archive.images)
    ]
    characters = np.stack(inks).reshape(-1, DRAWINGS, 28, 28)
    return np.random.default_rng(42).permutation(characters)


@cache
def some() -> ImageStore:
    """The first MEASURED of them, in all four turns."""
    return ImageStore(in_memory()[:MEASURED], CPU)


@cache
def extracted(root: Path) -> Path:
    """A folder as torchvision's Omniglot leaves it behind after a download; nothing is downloaded then.

    It looks for the official files by their md5, so it is told that of the ones at hand.
    """
    folder, into = archives(), root / Omniglot.folder
    into.mkdir(parents=True)
    for archive in (BACKGROUND, EVALUATION):
        path = into / f"{archive.folder}.zip"
        path.symlink_to((folder / path.name).resolve())
        Omniglot.zips_md5[archive.folder] = md5(path)
        with zipfile.ZipFile(path) as file:
            file.extractall(into)
    return root
