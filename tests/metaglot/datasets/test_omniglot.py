"""Omniglot is known by its content, whatever packed it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from repository import needs_omniglot
from small_omniglot import pack, unpack
from torchvision import datasets

from metaglot.core.common.errors import UserError
from metaglot.datasets import omniglot_download, omniglot_mirrors
from metaglot.datasets.omniglot import Omniglot
from metaglot.datasets.omniglot_layout import OfficialArchive
from metaglot.datasets.omniglot_zip import read_drawings


def test_addresses_and_md5s_are_torchvisions() -> None:
    assert omniglot_mirrors.ADDRESS == datasets.Omniglot.download_url_prefix
    assert {archive.folder: archive.md5 for archive in Omniglot.parts} == datasets.Omniglot.zips_md5


def test_other_drawings_are_refused_with_both_digests(small: tuple[Path, OfficialArchive]) -> None:
    path, known = small
    other = replace(known, content_sha256="0" * 64, md5="1" * 32)
    with pytest.raises(UserError, match=f"sha256 {known.content_sha256}, not {'0' * 64}"):
        omniglot_download.verify(path, other)


def test_the_same_drawings_packed_anew_are_accepted_but_are_not_the_official_file(
    small: tuple[Path, OfficialArchive],
) -> None:
    path, known = small
    omniglot_download.check_md5(path, known)
    pack(path, unpack(path)[::-1])
    assert omniglot_download.verify(path, known) == known.content_sha256
    with pytest.raises(UserError, match=f"has md5 [0-9a-f]{{32}}, the official file {known.md5}"):
        omniglot_download.check_md5(path, known)


@needs_omniglot
@pytest.mark.parametrize("known", Omniglot.parts, ids=lambda known: known.folder)
def test_the_real_archives_are_recognised(known: OfficialArchive) -> None:
    path = Path(os.environ["OMNIGLOT_MIRROR"]) / f"{known.folder}.zip"
    assert omniglot_download.verify(path, known) == known.content_sha256
    names = [name.split("/") for name, _ in read_drawings(path, known.folder, known.images)]
    assert len({alphabet for _, alphabet, _, _ in names}) == known.alphabets
    assert len({(alphabet, character) for _, alphabet, character, _ in names}) == known.characters
