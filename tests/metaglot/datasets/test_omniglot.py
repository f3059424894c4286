"""Omniglot is known by its content, and shrunk as learn2learn shrinks it."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from repository import needs_omniglot
from torchvision import datasets, transforms

from metaglot.core.common.errors import UserError
from metaglot.datasets import omniglot
from metaglot.datasets.omniglot_zip import read_drawings
from tests.small_omniglot import archive, pack, unpack


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, omniglot.OfficialArchive]:
    return tmp_path / "x.zip", archive(tmp_path / "x.zip", "images_background", [2, 1], 1)


def test_addresses_and_md5s_are_torchvisions() -> None:
    assert omniglot.ADDRESS == datasets.Omniglot.download_url_prefix
    assert {archive.folder: archive.md5 for archive in omniglot.ARCHIVES} == datasets.Omniglot.zips_md5


def test_other_drawings_are_refused_with_both_digests(small: tuple[Path, omniglot.OfficialArchive]) -> None:
    path, known = small
    other = replace(known, content_sha256="0" * 64, md5="1" * 32)
    with pytest.raises(UserError, match=f"sha256 {known.content_sha256}, not {'0' * 64}"):
        omniglot.verify(path, other)


def test_the_same_drawings_packed_anew_are_accepted_but_are_not_the_official_file(
    small: tuple[Path, omniglot.OfficialArchive],
) -> None:
    path, known = small
    omniglot.check_md5(path, known)
    pack(path, unpack(path)[::-1])
    assert omniglot.verify(path, known) == known.content_sha256
    with pytest.raises(UserError, match=f"has md5 [0-9a-f]{{32}}, the official file {known.md5}"):
        omniglot.check_md5(path, known)


@pytest.mark.parametrize("size", [28, 14, 105])
def test_ink_is_what_torchvisions_transforms_make_of_a_drawing(
    size: int, small: tuple[Path, omniglot.OfficialArchive]
) -> None:
    resize = transforms.Resize(size, interpolation=transforms.InterpolationMode.LANCZOS)
    learn2learns = transforms.Compose([resize, transforms.ToTensor(), lambda x: 1.0 - x])
    path, known = small
    for _, drawing in read_drawings(path, known.folder, known.images):
        expected = learn2learns(drawing.convert("L"))[0]
        found = torch.from_numpy(omniglot.shrink_drawing(drawing, size)).float() / 255
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_nearest_ink_is_what_the_code_of_mamls_authors_makes_of_a_drawing(
    small: tuple[Path, omniglot.OfficialArchive],
) -> None:
    path, known = small
    for _, drawing in read_drawings(path, known.folder, known.images):
        assert drawing.mode == "1"
        theirs = drawing.resize((28, 28), resample=Image.Resampling.LANCZOS)  # resize_images.py
        found = omniglot.shrink_drawing(drawing, 28, omniglot.NEAREST)
        assert np.array_equal(found == 255, ~np.asarray(theirs)) and set(np.unique(found)) == {0, 255}


def test_ink_is_full_on_black_and_none_on_white() -> None:
    black, white = Image.new("1", (105, 105), 0), Image.new("1", (105, 105), 1)
    assert np.unique(omniglot.shrink_drawing(black, 28)).tolist() == [255]
    assert np.unique(omniglot.shrink_drawing(white, 28)).tolist() == [0]


@needs_omniglot
@pytest.mark.parametrize("known", omniglot.ARCHIVES, ids=lambda known: known.folder)
def test_the_real_archives_are_recognised(known: omniglot.OfficialArchive) -> None:
    path = Path(os.environ["OMNIGLOT_MIRROR"]) / f"{known.folder}.zip"
    assert omniglot.verify(path, known) == known.content_sha256
    names = [name.split("/") for name, _ in read_drawings(path, known.folder, known.images)]
    assert len({alphabet for _, alphabet, _, _ in names}) == known.alphabets
    assert len({(alphabet, character) for _, alphabet, character, _ in names}) == known.characters


@needs_omniglot
def test_real_drawings_shrink_as_torchvisions_dataset_gives_them(tmp_path: Path) -> None:
    """Unpacked and read by torchvision's own Omniglot, with learn2learn's transform."""
    known = omniglot.BACKGROUND
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
    found = [omniglot.shrink_drawing(drawing, 28) for _, drawing in read_drawings(packed, known.folder, len(few))]
    assert {ink.tobytes() for ink in found} == {image.round().byte().numpy().tobytes() for image in expected}
    assert len(found) == len(expected) == 180
