"""A download that is refused is one line and leaves nothing."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
from mirrored_omniglot import kept, set_official
from small_omniglot import Archives, pack, png, repack, unpack

from metaglot.core.common.errors import UserError
from metaglot.datasets import omniglot_mirrors
from metaglot.datasets.dataset import Unreachable
from metaglot.datasets.omniglot import Omniglot
from stages import download


def refused(message: str, kind: type[UserError] = UserError) -> str:
    """The one line with which a download ends that leaves nothing."""
    with pytest.raises(kind, match=message) as refusal:
        download.main()
    line = str(refusal.value)
    assert "\n" not in line and "set OMNIGLOT_MIRROR" in line and "-S data.source=glyphs" in line
    assert kept() == set()
    assert {path.name for path in Path("..").iterdir()} == {"workspace", "mirror"}
    return line


def test_an_official_file_of_another_md5_is_refused(
    archives: Archives, mirror_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    set_official(monkeypatch, f"{mirror_server}/ok")
    packed = tmp_path / "mirror" / "images_evaluation.zip"
    pack(packed, unpack(packed)[::-1])
    refused(f"images_evaluation.zip has md5 [0-9a-f]{{32}}, the official file {archives[1].md5}; set")


def test_without_an_answer_from_anywhere_every_address_is_named(
    archives: Archives, unreachable_official: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIGLOT_MIRROR", unreachable_official.replace("127.0.0.1", "localhost"))
    line = refused("does not answer", Unreachable)
    assert unreachable_official in line and "http://localhost" in line


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("missing", "images_background.zip answers 404"),
        ("busy", "images_background.zip answers 503"),
        ("short", "images_background.zip broke off: .*more expected"),
        ("stall", "images_background.zip broke off: .*timed out"),
        ("page", "images_background.zip is not a whole zip archive: File is not a zip file"),
        ("endless", "images_background.zip is larger than 16777216 bytes"),
        ("trickle", "images_background.zip is not here after 1 seconds"),
    ],
)
def test_a_server_that_answers_wrongly_is_refused_in_one_line(
    fault: str, message: str, archives: Archives, mirror_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And never passed over, though another source might answer."""
    monkeypatch.setattr(omniglot_mirrors, "TIMEOUT", (1, 1))
    monkeypatch.setattr(omniglot_mirrors, "LONGEST", 1)
    monkeypatch.setenv("OMNIGLOT_MIRROR", f"{mirror_server}/{fault}")
    set_official(monkeypatch, f"{mirror_server}/ok")
    start = time.monotonic()
    line = refused(message)
    assert line.startswith(f"{mirror_server}/{fault}/") and time.monotonic() - start < 60  # of an answer without an end


def test_a_folder_that_is_not_there_or_lacks_an_archive_is_refused(
    archives: Archives, unreachable_official: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirror" / "images_evaluation.zip").unlink()
    refused("mirror/images_evaluation.zip is not there; set")
    monkeypatch.setenv("OMNIGLOT_MIRROR", "/nowhere")
    refused("^/nowhere/images_background.zip is not there; set")


def test_wrong_drawings_are_refused_though_the_other_archive_is_right(
    archives: Archives, unreachable_official: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(archives[1], content_sha256="0" * 64, md5="0" * 32)
    monkeypatch.setattr(Omniglot, "parts", (archives[0], wrong))
    refused(
        f"images_evaluation.zip holds other drawings than Omniglot's: sha256 {archives[1].content_sha256}, not 0000"
    )


def test_an_archive_that_would_write_elsewhere_writes_nowhere(
    archives: Archives, unreachable_official: str, tmp_path: Path
) -> None:
    path = tmp_path / "mirror" / "images_background.zip"
    with tempfile.TemporaryDirectory() as elsewhere:  # whose name is short enough to be said whole
        for name in ("../../evil.png", "../evil.png", f"{elsewhere}/evil.png"):
            repack(path, tmp_path / "mirror" / "images_background.zip", lambda m, name=name: m.append((name, png())))
            refused(f"images_background.zip holds '{name}', which lies outside images_background/")
            pack(path, unpack(path)[:-1])
        assert not [*tmp_path.rglob("evil.png"), *Path(elsewhere).iterdir()]
