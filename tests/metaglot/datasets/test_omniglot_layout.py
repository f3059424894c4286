"""Drawings become images as learn2learn, or the code of MAML's authors, makes them."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from repository import needs_omniglot
from small_omniglot import pack, unpack
from torchvision import datasets, transforms

from metaglot.datasets.omniglot import OmniglotNearest
from metaglot.datasets.omniglot_layout import BACKGROUND, OfficialArchive, shrink_drawing
from metaglot.datasets.omniglot_zip import read_drawings


@pytest.mark.parametrize("size", [28, 14, 105])
def test_ink_is_what_torchvisions_transforms_make_of_a_drawing(size: int, small: tuple[Path, OfficialArchive]) -> None:
    resize = transforms.Resize(size, interpolation=transforms.InterpolationMode.LANCZOS)
    learn2learns = transforms.Compose([resize, transforms.ToTensor(), lambda x: 1.0 - x])
    path, known = small
    for _, drawing in read_drawings(path, known.folder, known.images):
        expected = learn2learns(drawing.convert("L"))[0]
        ink = torch.from_numpy(shrink_drawing(drawing, size)).float() / 255
        torch.testing.assert_close(ink, expected, atol=1e-6, rtol=0)


def test_nearest_ink_is_what_the_code_of_mamls_authors_makes_of_a_drawing(small: tuple[Path, OfficialArchive]) -> None:
    path, known = small
    for _, drawing in read_drawings(path, known.folder, known.images):
        assert drawing.mode == "1"
        theirs = drawing.resize((28, 28), resample=Image.Resampling.LANCZOS)  # resize_images.py
        ink = OmniglotNearest().shrink(drawing, 28)
        assert np.array_equal(ink == 255, ~np.asarray(theirs)) and set(np.unique(ink)) == {0, 255}


@needs_omniglot
def test_real_drawings_shrink_as_torchvisions_dataset_gives_them(tmp_path: Path) -> None:
    """Unpacked and read by torchvision's own Omniglot, with learn2learn's transform."""
    known = BACKGROUND
    path = Path(os.environ["OMNIGLOT_MIRROR"]) / f"{known.folder}.zip"
    few = [(info, content) for info, content in unpack(path) if "/Korean/character0" in info.filename]
    for info, content in few:
        target = tmp_path / "omniglot-py" / info.filename
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    resize = transforms.Resize(28, interpolation=transforms.InterpolationMode.LANCZOS)
    transform = transforms.Compose([resize, transforms.ToTensor(), lambda x: 1.0 - x])

    class Unpacked(datasets.Omniglot):
        def _check_integrity(self) -> bool:
            """There is no archive to check."""
            return True

    expected = [image * 255 for image, _ in Unpacked(str(tmp_path), transform=transform)]  # in no fixed order
    packed = pack(tmp_path / "few.zip", few)
    inks = [shrink_drawing(drawing, 28) for _, drawing in read_drawings(packed, known.folder, len(few))]
    assert {ink.tobytes() for ink in inks} == {image.round().byte().numpy().tobytes() for image in expected}
    assert len(inks) == len(expected) == 180
