"""Data sets in Omniglot's layout: two archives of one-bit drawings, read as images by character."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import AGAIN, Dataset, RawImages
from metaglot.datasets.omniglot_zip import DRAWINGS, SIDE, read_drawings
from metaglot.datasets.progress_bar import NO_PROGRESS_BAR, ProgressBar


@dataclass(frozen=True)
class OfficialArchive:
    """One of Omniglot's two official archives.

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


class OmniglotLayout(Dataset):
    """Two archives with Omniglot's numbers of alphabets, characters and drawings."""

    archives = (BACKGROUND.folder, EVALUATION.folder)
    parts: ClassVar[tuple[OfficialArchive, OfficialArchive]] = (BACKGROUND, EVALUATION)
    classes = BACKGROUND.characters + EVALUATION.characters
    images_per_class = DRAWINGS
    side = SIDE
    smallest_held_out = 81  # the five smallest background alphabets of Omniglot
    resampling: ClassVar[Image.Resampling] = Image.Resampling.LANCZOS

    def read(self, folder: Path, size: int, progress: ProgressBar = NO_PROGRESS_BAR) -> RawImages:
        record, read = self.check_raw(folder), []
        for name in self.archives:
            drawn = defaultdict(list)
            path, images = folder / f"{name}.zip", record.archives[name].images
            try:
                for member, drawing in progress.track(read_drawings(path, name, images), images, description=name):
                    drawn["/".join(member.split("/")[1:3])].append(self.shrink(drawing, size))
            except UserError as error:
                raise UserError(f"{path} {error}; {AGAIN}") from None
            read.append({name: np.stack(drawn[name]) for name in sorted(drawn, key=lambda name: name.split("/"))})
        return RawImages(*read)

    def shrink(self, image: Image.Image, size: int) -> np.ndarray:
        return shrink_drawing(image, size, self.resampling)


def shrink_drawing(
    drawing: Image.Image, size: int, resampling: Image.Resampling = Image.Resampling.LANCZOS
) -> np.ndarray:
    """Shrink a one-bit drawing to uint8 [size, size], 255 = full ink, 0 = paper.

    Divided by 255 it is learn2learn's `1 - ToTensor(Resize(size, LANCZOS)(drawing.convert("L")))`.
    """
    return 255 - np.asarray(drawing.convert("L").resize((size, size), resampling))
