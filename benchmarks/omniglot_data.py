"""Omniglot for both engines: extracted files for learn2learn's example, an array for the batched engine."""

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
from metaglot.datasets.omniglot_download import md5
from metaglot.datasets.omniglot_layout import BACKGROUND, EVALUATION, shrink_drawing
from metaglot.datasets.omniglot_mirrors import MIRROR, FolderMirror, mirror_at
from metaglot.datasets.omniglot_zip import DRAWINGS, read_drawings
from stages.support import paths

SAMPLE_CHARACTERS = 200  # enough where the number of characters does not matter


def archive_folder() -> Path:
    """The folder of Omniglot's two archives: the local mirror, or data/raw."""
    mirror = mirror_at(os.environ[MIRROR], paths.root()) if os.environ.get(MIRROR) else None
    if isinstance(mirror, FolderMirror):
        return mirror.path
    if paths.SOURCE.exists() and read_source(paths.SOURCE).dataset == "omniglot":
        return paths.RAW
    raise UserError(f"Omniglot's archives are missing: run `dvc repro download`, or set {MIRROR} to their folder")


@cache
def load_drawings() -> np.ndarray:
    """Every drawing, uint8 [1623, 20, 28, 28], characters in a shuffled order."""
    folder = archive_folder()
    images = [
        shrink_drawing(drawing, 28)
        for archive in (BACKGROUND, EVALUATION)
        for _, drawing in read_drawings(folder / f"{archive.folder}.zip", archive.folder, archive.images)
    ]
    characters = np.stack(images).reshape(-1, DRAWINGS, 28, 28)
    return np.random.default_rng(42).permutation(characters)


@cache
def sample_images() -> ImageStore:
    """The first SAMPLE_CHARACTERS characters in all four rotations."""
    return ImageStore(load_drawings()[:SAMPLE_CHARACTERS], CPU)


@cache
def extract_archives(root: Path) -> Path:
    """Prepare a folder as torchvision's Omniglot leaves it after a download, so that it downloads nothing.

    torchvision compares md5 sums with the official sums, so it gets the sums of the local archives.
    """
    folder, into = archive_folder(), root / Omniglot.folder
    into.mkdir(parents=True)
    for archive in (BACKGROUND, EVALUATION):
        path = into / f"{archive.folder}.zip"
        path.symlink_to((folder / path.name).resolve())
        Omniglot.zips_md5[archive.folder] = md5(path)
        with zipfile.ZipFile(path) as file:
            file.extractall(into)
    return root
