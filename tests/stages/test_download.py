"""What download leaves in data/raw is whole and what it should be, or it leaves nothing and says why in one line."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from metaglot.core.common.atomic_files import read_json, sha256, write_json, write_text, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.datasets import omniglot_mirrors
from metaglot.datasets.dataset import Unreachable
from metaglot.datasets.omniglot import Omniglot
from metaglot.datasets.omniglot_layout import OfficialArchive
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings
from stages import download
from stages.support import paths
from tests.small_omniglot import pack, pair, png, repack, unpack

REPOSITORY = Path(__file__).parents[2]
RAW = {"images_background.zip", "images_evaluation.zip", "source.json"}


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[OfficialArchive, OfficialArchive]:
    """A workspace, a mirror beside it, and small archives in Omniglot's place; nothing official can be reached."""
    (tmp_path / "workspace").mkdir()
    monkeypatch.chdir(tmp_path / "workspace")
    monkeypatch.delenv("DVC_ROOT", raising=False)
    write_yaml(paths.DATA_CONFIG, {"source": "omniglot"})
    archives = pair(tmp_path / "mirror")
    monkeypatch.setattr(Omniglot, "parts", archives)
    monkeypatch.setenv("OMNIGLOT_MIRROR", str(tmp_path / "mirror"))
    return archives


@pytest.fixture
def official(monkeypatch: pytest.MonkeyPatch, silent_port: int) -> str:
    """An official address that does not answer."""
    return set_official(monkeypatch, f"http://127.0.0.1:{silent_port}")


def set_official(monkeypatch: pytest.MonkeyPatch, address: str) -> str:
    monkeypatch.setattr(omniglot_mirrors, "ADDRESS", address)
    return address


def kept() -> set[str]:
    return {path.name for path in paths.RAW.glob("*")} | {path.name for path in paths.RAW.glob(".*")}


def refused(message: str, kind: type[UserError] = UserError) -> str:
    """The one line with which a download ends that leaves nothing."""
    with pytest.raises(kind, match=message) as refusal:
        download.main()
    line = str(refusal.value)
    assert "\n" not in line and "set OMNIGLOT_MIRROR" in line and "-S data.source=glyphs" in line
    assert kept() == set()
    assert {path.name for path in Path("..").iterdir()} == {"workspace", "mirror"}
    return line


@pytest.mark.parametrize("form", ["{folder}", "../mirror", "file://{folder}", "{server}/ok", "{server}/redirect/"])
def test_archives_come_from_a_mirror_of_any_form(
    form: str,
    known: tuple[OfficialArchive, OfficialArchive],
    mirror_server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mirror = form.format(folder=tmp_path / "mirror", server=mirror_server)
    monkeypatch.setenv("OMNIGLOT_MIRROR", mirror)
    download.main()
    assert kept() == RAW
    record = read_json(paths.SOURCE)
    assert (record["dataset"], record["source"]) == ("omniglot", mirror.rstrip("/"))
    for archive in known:
        path, name = paths.RAW / f"{archive.folder}.zip", f"{archive.folder}.zip"
        assert path.read_bytes() == (tmp_path / "mirror" / name).read_bytes()
        assert record["archives"][archive.folder] == {
            "images": archive.images,
            "content_sha256": archive.content_sha256,
            "file_sha256": sha256(path),
            "bytes": path.stat().st_size,
        }


def test_the_official_file_is_known_by_its_md5(
    known: tuple[OfficialArchive, OfficialArchive], mirror_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    address = set_official(monkeypatch, f"{mirror_server}/ok")
    download.main()
    assert read_json(paths.SOURCE)["source"] == address
    for name in RAW:
        (paths.RAW / name).unlink()
    packed = tmp_path / "mirror" / "images_evaluation.zip"
    pack(packed, unpack(packed)[::-1])
    refused(f"images_evaluation.zip has md5 [0-9a-f]{{32}}, the official file {known[1].md5}; set")


def test_a_mirror_that_does_not_answer_is_passed_over(
    known: tuple[OfficialArchive, OfficialArchive],
    mirror_server: str,
    silent_port: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMNIGLOT_MIRROR", f"http://127.0.0.1:{silent_port}")
    address = set_official(monkeypatch, f"{mirror_server}/ok")
    download.main()
    assert read_json(paths.SOURCE)["source"] == address


def test_without_an_answer_from_anywhere_every_address_is_named(
    known: tuple[OfficialArchive, OfficialArchive], official: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIGLOT_MIRROR", official.replace("127.0.0.1", "localhost"))
    line = refused("does not answer", Unreachable)
    assert official in line and "http://localhost" in line


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
    fault: str,
    message: str,
    known: tuple[OfficialArchive, OfficialArchive],
    mirror_server: str,
    monkeypatch: pytest.MonkeyPatch,
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
    known: tuple[OfficialArchive, OfficialArchive], official: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mirror" / "images_evaluation.zip").unlink()
    refused("mirror/images_evaluation.zip is not there; set")
    monkeypatch.setenv("OMNIGLOT_MIRROR", "/nowhere")
    refused("^/nowhere/images_background.zip is not there; set")


def test_a_mirror_of_another_kind_is_refused(
    known: tuple[OfficialArchive, OfficialArchive], official: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMNIGLOT_MIRROR", "ftp://mirror.example")
    refused("OMNIGLOT_MIRROR=ftp://mirror.example is neither a folder nor")


def test_wrong_drawings_are_refused_though_the_other_archive_is_right(
    known: tuple[OfficialArchive, OfficialArchive], official: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = replace(known[1], content_sha256="0" * 64, md5="0" * 32)
    monkeypatch.setattr(Omniglot, "parts", (known[0], wrong))
    refused(f"images_evaluation.zip holds other drawings than Omniglot's: sha256 {known[1].content_sha256}, not 0000")


def test_an_archive_that_would_write_elsewhere_writes_nowhere(
    known: tuple[OfficialArchive, OfficialArchive], official: str, tmp_path: Path
) -> None:
    path = tmp_path / "mirror" / "images_background.zip"
    with tempfile.TemporaryDirectory() as elsewhere:  # whose name is short enough to be said whole
        for name in ("../../evil.png", "../evil.png", f"{elsewhere}/evil.png"):
            repack(path, tmp_path / "mirror" / "images_background.zip", lambda m, name=name: m.append((name, png())))
            refused(f"images_background.zip holds '{name}', which lies outside images_background/")
            pack(path, unpack(path)[:-1])
        assert not [*tmp_path.rglob("evil.png"), *Path(elsewhere).iterdir()]


def test_what_was_there_before_stays_when_a_download_fails(
    known: tuple[OfficialArchive, OfficialArchive], official: str, tmp_path: Path
) -> None:
    download.main()
    write_text(paths.RAW / "images_background.zip", "damaged")
    before = {name: (paths.RAW / name).read_bytes() for name in RAW}
    write_text(tmp_path / "mirror" / "images_evaluation.zip", "not a zip")
    with pytest.raises(UserError, match="images_evaluation.zip is not a whole zip archive"):
        download.main()
    assert {name: (paths.RAW / name).read_bytes() for name in kept()} == before


@pytest.mark.parametrize("damage", ["changed", "missing", "no record", "of glyphs"])
def test_what_is_whole_is_kept_without_any_source_and_what_is_not_is_replaced(
    damage: str, known: tuple[OfficialArchive, OfficialArchive], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download.main()
    whole = {name: (paths.RAW / name).read_bytes() for name in RAW}
    (paths.RAW / ".omniglot.zip.1.partial").write_text("half a file")
    (paths.RAW / "nothing").mkdir()
    monkeypatch.setenv("OMNIGLOT_MIRROR", "/nowhere")
    download.main()
    assert {name: (paths.RAW / name).read_bytes() for name in kept()} == whole
    if damage == "missing":
        (paths.RAW / "images_evaluation.zip").unlink()
    elif damage == "changed":
        (paths.RAW / "images_evaluation.zip").write_bytes(whole["images_evaluation.zip"][:-1])
    elif damage == "no record":
        paths.SOURCE.unlink()
    else:
        write_json(paths.SOURCE, read_json(paths.SOURCE) | {"dataset": "glyphs (synthetic)"})
    with pytest.raises(UserError, match="^/nowhere/images_background.zip is not there"):
        download.main()
    monkeypatch.setenv("OMNIGLOT_MIRROR", str(tmp_path / "mirror"))
    download.main()
    assert {name: (paths.RAW / name).read_bytes() for name in kept()} == whole


@pytest.mark.slow
def test_glyphs_are_drawn_anew_each_time(known: tuple[OfficialArchive, OfficialArchive]) -> None:
    """Those that are there may be of older code."""
    write_yaml(paths.DATA_CONFIG, {"source": "glyphs"})
    download.main()
    drawn = {name: (paths.RAW / name).read_bytes() for name in RAW}
    (paths.RAW / "images_background.zip").write_bytes(b"")
    download.main()
    assert {name: (paths.RAW / name).read_bytes() for name in kept()} == drawn


def test_check_answers_and_writes_nothing(
    known: tuple[OfficialArchive, OfficialArchive],
    official: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    download.main(only_check=True)
    assert "mirror answers" in capsys.readouterr().err
    monkeypatch.setenv("OMNIGLOT_MIRROR", "/nowhere")
    with pytest.raises(UserError, match="^/nowhere/images_background.zip is not there; set"):
        download.main(only_check=True)
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    with pytest.raises(typer.Exit) as left:
        download.main(only_check=True)
    assert left.value.exit_code == 3
    assert f"omniglot cannot be reached: {official}/images_background.zip does not answer" in capsys.readouterr().err
    assert not paths.RAW.exists()


def test_check_needs_no_source_for_glyphs_nor_for_what_is_here(
    known: tuple[OfficialArchive, OfficialArchive],
    official: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    download.main()
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    download.main(only_check=True)
    assert "data/raw holds omniglot" in capsys.readouterr().err
    write_text(paths.RAW / "images_background.zip", "changed")
    with pytest.raises(typer.Exit):
        download.main(only_check=True)
    write_yaml(paths.DATA_CONFIG, {"source": "glyphs"})
    download.main(only_check=True)
    assert "glyphs (synthetic): made here" in capsys.readouterr().err


def test_check_may_ask_about_another_data_set_than_the_config_s(
    known: tuple[OfficialArchive, OfficialArchive], capsys: pytest.CaptureFixture[str]
) -> None:
    download.main(only_check=True, source="glyphs")
    assert "glyphs (synthetic): made here" in capsys.readouterr().err
    with pytest.raises(UserError, match="--source: there is no data set 'nothing'; there are omniglot, "):
        download.main(only_check=True, source="nothing")


@pytest.mark.slow
def test_glyphs_need_no_source_and_are_as_many_as_omniglots_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMNIGLOT_MIRROR", "/nowhere")
    write_yaml(paths.DATA_CONFIG, {"source": "glyphs"})
    download.main()
    record = read_json(paths.SOURCE)
    assert (record["dataset"], record["source"]) == ("glyphs (synthetic)", "generated")
    alphabets = []
    for archive in Omniglot.parts:
        path, held = paths.RAW / f"{archive.folder}.zip", record["archives"][archive.folder]
        found = list(read_drawings(path, archive.folder, archive.images))
        assert content_sha256(found) == held["content_sha256"] and sha256(path) == held["file_sha256"]
        alphabets += sorted({name.split("/")[1] for name, _ in found})
    assert alphabets == [f"Glyphs_{number:02}" for number in range(1, 51)]


def in_shell(*arguments: str, cwd: Path, mirror: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stages.download", *arguments]
    environment = os.environ | {"OMNIGLOT_MIRROR": mirror, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)


def test_in_the_shell_a_refusal_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    write_yaml(tmp_path / paths.DATA_CONFIG, {"source": "omniglot"})
    ended = in_shell(cwd=tmp_path, mirror="/nowhere")
    assert ended.returncode == 1 and ended.stdout == ""
    assert ended.stderr.startswith("error: /nowhere/images_background.zip is not there; set OMNIGLOT_MIRROR")
    assert ended.stderr.count("\n") == 1


@pytest.mark.skipif("OMNIGLOT_MIRROR" not in os.environ, reason="needs OMNIGLOT_MIRROR, a mirror of the real archives")
def test_the_real_archives_are_downloaded_with_a_line_each(tmp_path: Path) -> None:
    write_yaml(tmp_path / paths.DATA_CONFIG, {"source": "omniglot"})
    mirror = os.environ["OMNIGLOT_MIRROR"]
    ended = in_shell(cwd=tmp_path, mirror=mirror if "://" in mirror else str(Path(mirror).resolve()))
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stderr.splitlines()) == 2 and ended.stdout == ""
    record = read_json(tmp_path / paths.SOURCE)
    assert {name: held["content_sha256"] for name, held in record["archives"].items()} == {
        archive.folder: archive.content_sha256 for archive in Omniglot.parts
    }
