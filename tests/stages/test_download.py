"""A download leaves in data/raw what the record says; what is whole is kept."""

import os
from pathlib import Path

import pytest
from mirrored_omniglot import RAW, kept, set_official
from shell import refusal_of, run_python
from small_omniglot import Archives

from metaglot.core.common.atomic_files import read_json, sha256, write_json, write_text, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot import Omniglot
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings
from stages import download
from stages.support import paths


@pytest.mark.parametrize("form", ["{folder}", "../mirror", "file://{folder}", "{server}/ok", "{server}/redirect/"])
def test_archives_come_from_a_mirror_of_any_form(
    form: str, archives: Archives, mirror_server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = form.format(folder=tmp_path / "mirror", server=mirror_server)
    monkeypatch.setenv("OMNIGLOT_MIRROR", mirror)
    download.main()
    assert kept() == RAW
    record = read_json(paths.SOURCE)
    assert (record["dataset"], record["source"]) == ("omniglot", mirror.rstrip("/"))
    for archive in archives:
        path, name = paths.RAW / f"{archive.folder}.zip", f"{archive.folder}.zip"
        assert path.read_bytes() == (tmp_path / "mirror" / name).read_bytes()
        assert record["archives"][archive.folder] == {
            "images": archive.images,
            "content_sha256": archive.content_sha256,
            "file_sha256": sha256(path),
            "bytes": path.stat().st_size,
        }


@pytest.mark.parametrize("is_set", [False, True])
def test_the_official_address_is_asked_where_no_mirror_is_set_or_the_mirror_does_not_answer(
    is_set: bool, archives: Archives, mirror_server: str, silent_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMNIGLOT_MIRROR")
    if is_set:
        monkeypatch.setenv("OMNIGLOT_MIRROR", f"http://127.0.0.1:{silent_port}")
    address = set_official(monkeypatch, f"{mirror_server}/ok")
    download.main()
    assert read_json(paths.SOURCE)["source"] == address


def test_what_was_there_before_stays_when_a_download_fails(
    archives: Archives, unreachable_official: str, tmp_path: Path
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
    damage: str, archives: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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


@pytest.mark.parametrize("name", ["notes.txt", "birds/robin/1.png"])
@pytest.mark.parametrize("source", ["omniglot", "glyphs", "folder"])
def test_a_file_of_the_user_s_in_data_raw_is_named_and_stays(source: str, name: str, archives: Archives) -> None:
    download.main()
    write_text(paths.RAW / name, "mine")
    write_yaml(paths.DATA_CONFIG, {"source": source})
    with pytest.raises(UserError, match=f"^data/raw/{name} is of no data set: data/raw is for downloads, so move it"):
        download.main()
    assert (paths.RAW / name).read_text() == "mine" and (paths.RAW / "images_background.zip").exists()


def test_a_link_in_the_place_of_data_raw_is_refused_before_the_download(archives: Archives, tmp_path: Path) -> None:
    paths.RAW.parent.mkdir(exist_ok=True)
    paths.RAW.symlink_to(tmp_path, target_is_directory=True)
    with pytest.raises(UserError, match="^data/raw is a link, but it is for downloads"):
        download.main()
    assert paths.RAW.is_symlink()


@pytest.mark.slow
def test_glyphs_need_no_source_are_as_many_as_omniglots_characters_and_are_drawn_anew_each_time(
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
        drawings = list(read_drawings(path, archive.folder, archive.images))
        assert content_sha256(drawings) == held["content_sha256"] and sha256(path) == held["file_sha256"]
        alphabets += sorted({name.split("/")[1] for name, _ in drawings})
    assert alphabets == [f"Glyphs_{number:02}" for number in range(1, 51)]
    drawn = {name: (paths.RAW / name).read_bytes() for name in RAW}
    (paths.RAW / "images_background.zip").write_bytes(b"")  # those that are there may be of older code
    download.main()
    assert {name: (paths.RAW / name).read_bytes() for name in kept()} == drawn


def test_in_the_shell_a_refusal_is_one_line_and_exit_code_1(tmp_path: Path) -> None:
    write_yaml(tmp_path / paths.DATA_CONFIG, {"source": "omniglot"})
    line = refusal_of(run_python(tmp_path, "-m", "stages.download", OMNIGLOT_MIRROR="/nowhere"))
    assert line.startswith("error: /nowhere/images_background.zip is not there; set OMNIGLOT_MIRROR")


@pytest.mark.skipif("OMNIGLOT_MIRROR" not in os.environ, reason="needs OMNIGLOT_MIRROR, a mirror of the real archives")
def test_the_real_archives_are_downloaded_with_a_line_each(tmp_path: Path) -> None:
    write_yaml(tmp_path / paths.DATA_CONFIG, {"source": "omniglot"})
    mirror = os.environ["OMNIGLOT_MIRROR"]
    mirror = mirror if "://" in mirror else str(Path(mirror).resolve())
    ended = run_python(tmp_path, "-m", "stages.download", OMNIGLOT_MIRROR=mirror)
    assert ended.returncode == 0, ended.stderr
    assert len(ended.stderr.splitlines()) == 2 and ended.stdout == ""
    record = read_json(tmp_path / paths.SOURCE)
    assert {name: held["content_sha256"] for name, held in record["archives"].items()} == {
        archive.folder: archive.content_sha256 for archive in Omniglot.parts
    }
