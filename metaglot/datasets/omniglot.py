"""Omniglot: which archives it is, and its drawings as arrays.

B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum, "Human-level concept learning through probabilistic program
induction", Science 350, 2015. https://github.com/brendenlake/omniglot
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings

NEAREST = "omniglot-nearest"  # the same drawings, shrunk as the code of MAML's authors does it
ADDRESS = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"  # torchvision's


@dataclass(frozen=True)
class OfficialArchive:
    """One of the two official archives.

    md5: of the official file. content_sha256: of the drawings in it, however they are packed.
    """

    folder: str
    alphabets: int
    characters: int
    images: int
    md5: str
    content_sha256: str


BACKGROUND = OfficialArchive(
    folder="images_background",
    alphabets=30,
    characters=964,
    images=19_280,
    md5="68d2efa1b9178cc56df9314c21c6e718",
    content_sha256="5b7f1a2648ec9d3e2b69cd56dbad29acfe5c980f54296bce04d5841ebeefa46b",
)
EVALUATION = OfficialArchive(
    folder="images_evaluation",
    alphabets=20,
    characters=659,
    images=13_180,
    md5="6b91aef0f799c5bb55b94e3f2daec811",
    content_sha256="f6b46bcf40cb2705362c93c5d3d9728b0c10ef362989f73993a3aa24e490ecd5",
)
ARCHIVES = (BACKGROUND, EVALUATION)


def check_md5(path: Path, archive: OfficialArchive) -> None:
    """Raise UserError unless this is the official file, to the byte."""
    if (found := md5(path)) != archive.md5:
        raise UserError(f"has md5 {found}, the official file {archive.md5}")


def verify(path: Path, archive: OfficialArchive) -> str:
    """Return the digest of an archive's drawings; raises UserError unless they are Omniglot's."""
    found = content_sha256(read_drawings(path, archive.folder, archive.images))
    if found != archive.content_sha256 and md5(path) != archive.md5:
        raise UserError(f"holds other drawings than Omniglot's: sha256 {found}, not {archive.content_sha256}")
    return found


def md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def shrink_drawing(drawing: Image.Image, size: int, dataset: str = "omniglot") -> np.ndarray:
    """Shrink a one-bit drawing to uint8 [size, size], 255 = full ink, 0 = paper.

    Divided by 255 it is learn2learn's `1 - ToTensor(Resize(size, LANCZOS)(drawing.convert("L")))`. The code of Finn et
    al. 2017 asks for the same filter, but of the one-bit drawing, where Pillow takes the nearest pixel whatever it is
    asked for: strokes get steps and lose their grey. So it is in the dataset `omniglot-nearest`.
    """
    filtered = Image.Resampling.NEAREST if dataset == NEAREST else Image.Resampling.LANCZOS
    return 255 - np.asarray(drawing.convert("L").resize((size, size), filtered))
