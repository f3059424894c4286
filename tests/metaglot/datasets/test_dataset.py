"""The record beside the archives is read whole, and the archives are the ones on record."""

from pathlib import Path

import pytest

from metaglot.core.common.atomic_files import sha256, write_json
from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import ArchiveRecord, SourceRecord, check_archive, read_source


def source(digest: str) -> SourceRecord:
    held = ArchiveRecord(images=20, content_sha256="0" * 64, file_sha256=digest, bytes=4)
    return SourceRecord(dataset="omniglot", source="/mirror", archives={"images_background": held})


def test_a_record_is_read_back(tmp_path: Path) -> None:
    write_json(tmp_path / "source.json", source("a").model_dump())
    assert read_source(tmp_path / "source.json") == source("a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": None}, "source.json: dataset: "),
        ({"archives": {"images_background": {"images": "20"}}}, "source.json: archives.images_background.images: "),
        ({"more": 1}, "source.json: more: "),
        ({"archives": None}, "source.json: archives: "),
    ],
)
def test_a_record_of_another_kind_is_refused_by_key(change: dict[str, object], message: str, tmp_path: Path) -> None:
    write_json(tmp_path / "source.json", source("a").model_dump() | change)
    with pytest.raises(UserError, match=message):
        read_source(tmp_path / "source.json")


def test_an_archive_that_is_missing_changed_or_not_on_record_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images_background.zip"
    with pytest.raises(UserError, match="images_background.zip is not there"):
        check_archive(tmp_path, "images_background", source("a"))
    path.write_bytes(b"data")
    known = source(sha256(path))
    assert check_archive(tmp_path, "images_background", known) == path
    path.write_bytes(b"date")
    with pytest.raises(UserError, match="images_background.zip is changed since it was downloaded"):
        check_archive(tmp_path, "images_background", known)
    with pytest.raises(UserError, match="images_evaluation.zip is not there"):
        check_archive(tmp_path, "images_evaluation", known)
