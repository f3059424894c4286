"""Archives from anywhere are read as drawings, or refused in one line, soon, and without filling the memory."""

import re
import stat
import struct
import tracemalloc
import zlib
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from small_omniglot import FIRST, FOLDER, Members, pack, png, repack, unpack

from metaglot.core.common.errors import UserError
from metaglot.datasets import synthetic_glyphs
from metaglot.datasets.omniglot_zip import LARGEST_ARCHIVE, content_sha256, read_drawings

IMAGES = 40


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two characters, 40 drawings."""
    path = tmp_path_factory.mktemp("archives") / "whole.zip"
    synthetic_glyphs.write_archive(path, FOLDER, [2])
    return path


def digest(path: Path) -> str:
    return content_sha256(read_drawings(path, FOLDER, IMAGES))


def replace(members: Members, content: bytes) -> None:
    members[0] = (members[0][0], content)


def rename(members: Members, name: str) -> None:
    members[0] = (ZipInfo(name), members[0][1])


def add(members: Members, name: str, content: bytes = b"") -> None:
    members.append((ZipInfo(name), content))


def add_link(members: Members) -> None:
    members[0][0].external_attr = (stat.S_IFLNK | 0o777) << 16
    replace(members, b"/etc/passwd")


def compress(members: Members, method: int) -> None:
    members[0][0].compress_type = method


def inflate(members: Members) -> None:
    """A drawing of a million zeros, which deflate makes small."""
    compress(members, ZIP_DEFLATED)
    replace(members, bytes(1_000_000))


def huge_png() -> bytes:
    """A header that promises 60,000 by 60,000 pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


CHANGES = {
    "a member above its folder": (lambda m: add(m, "../evil.png", png()), "outside images_background/"),
    "a member above its folder, through it": (lambda m: add(m, f"{FOLDER}/../evil.png", png()), "outside"),
    "a folder above its folder": (lambda m: add(m, "../evil/"), "outside images_background/"),
    "an absolute member": (lambda m: add(m, "/etc/evil.png", png()), "outside images_background/"),
    "a drive's member": (lambda m: add(m, "C:\\evil.png", png()), "outside images_background/"),
    "a member beside its folder": (lambda m: add(m, "images_evil/A/character01/0001_01.png"), "outside"),
    "backslashes": (lambda m: rename(m, FIRST.replace("/", "\\")), "outside images_background/"),
    "a control character": (lambda m: rename(m, FIRST.replace("0001", "\n\x1b[2J")), "which is no drawing"),
    "digits of another script": (lambda m: rename(m, FIRST.replace("0001", "٠٠٠١")), "which is no drawing"),
    "a name of 60,000 letters": (lambda m: rename(m, f"{FOLDER}/{'a' * 60_000}"), "which is no drawing"),
    "an extra file": (lambda m: add(m, f"{FOLDER}/Glyphs_01/notes.txt", b"hello"), "which is no drawing"),
    "an extra drawing": (lambda m: add(m, FIRST.replace("01.png", "21.png"), png()), "21 drawings of"),
    "a missing drawing": (lambda m: m.pop(), "19 drawings of images_background/Glyphs_01/character02"),
    "a missing character": (lambda m: m.__delitem__(slice(20)), "holds 20 drawings where there should be 40"),
    "no member": (lambda m: m.clear(), "holds 0 drawings where there should be 40"),
    "a link": (add_link, "as a link"),
    "another compression": (lambda m: compress(m, ZIP_LZMA), "in a compression other than deflate"),
    "a declared bomb": (inflate, "of 1000000 bytes; a drawing has no more than 16384"),
    "a drawing too large": (lambda m: replace(m, png((106, 105))), "as 106x105 of mode 1, where"),
    "a drawing beyond measure": (lambda m: replace(m, huge_png()), "holds .* damaged"),
    "a colour image": (lambda m: replace(m, png(mode="RGB")), "as 105x105 of mode RGB, where"),
    "a grey image": (lambda m: replace(m, png(mode="L")), "as 105x105 of mode L, where"),
    "no image": (lambda m: replace(m, b"GIF89a"), "holds .* damaged"),
    "nothing": (lambda m: replace(m, b""), "holds .* damaged"),
    "half an image": (lambda m: replace(m, m[0][1][:60]), "holds .* damaged"),
}


def refusal(path: Path) -> str:
    with pytest.raises(UserError) as refused:
        digest(path)
    line = str(refused.value)
    assert len(line) < 400 and line.isprintable(), line
    return line


def refusal_in_little_memory(path: Path) -> str:
    tracemalloc.start()
    line = refusal(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * 2**20
    return line


@pytest.mark.parametrize("case", CHANGES)
def test_a_changed_archive_is_refused_in_one_line(case: str, whole: Path, tmp_path: Path) -> None:
    change, message = CHANGES[case]
    assert re.search(message, refusal(repack(whole, tmp_path / "changed.zip", change)))
    assert [path.name for path in tmp_path.rglob("*")] == ["changed.zip"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(whole: Path, tmp_path: Path) -> None:
    assert f"holds {FIRST} 2 times" in refusal(repack(whole, tmp_path / "x.zip", lambda m: m.append(m[0])))


def test_an_encrypted_member_is_refused(whole: Path, tmp_path: Path) -> None:
    content = bytearray(whole.read_bytes())
    content[6] |= 1  # the flag in the first member's own header, and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "x.zip").write_bytes(content)
    assert "damaged" in refusal(tmp_path / "x.zip")


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><title>Sign in</title>", b"PK\x05\x06", b"PK\x03\x04" * 99])
def test_what_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    assert "not a whole zip archive" in refusal(tmp_path / "x.zip")


def test_a_file_too_large_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "x.zip").open("wb") as file:
        file.truncate(LARGEST_ARCHIVE + 1)
    assert "is larger than" in refusal(tmp_path / "x.zip")


def test_a_bomb_that_declares_itself_small_is_not_unpacked(whole: Path, tmp_path: Path) -> None:
    """A quarter of a gigabyte of zeros, packed in a quarter of a megabyte, with a declared size of 500 bytes."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(compressor.compress(bytes(2**20)) for _ in range(256)) + compressor.flush()
    info = ZipInfo(FIRST)
    pack(tmp_path / "x.zip", [(info, bomb), *unpack(whole)[1:]])
    content = bytearray((tmp_path / "x.zip").read_bytes())
    directory = content.index(b"PK\x01\x02", len(bomb))
    for method, size in ((8, 22), (directory + 10, directory + 24)):  # of the member's header, of the directory
        content[method : method + 2] = struct.pack("<H", ZIP_DEFLATED)
        content[size : size + 4] = struct.pack("<I", 500)
    (tmp_path / "x.zip").write_bytes(content)
    assert "damaged" in refusal_in_little_memory(tmp_path / "x.zip")


def test_a_compressed_text_in_a_drawing_is_not_unpacked_without_bound(whole: Path, tmp_path: Path) -> None:
    """Within 16 kB a zTXt chunk can promise 16 MB."""
    chunk = b"zTXtcomment\0\0" + zlib.compress(bytes(2**23), 9)
    content = png()
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    repack(whole, tmp_path / "x.zip", lambda m: replace(m, content[:33] + chunk + content[33:]))
    assert "damaged" in refusal_in_little_memory(tmp_path / "x.zip")


def test_what_macos_adds_and_folders_are_passed_over(whole: Path, tmp_path: Path) -> None:
    def litter(members: Members) -> None:
        for name in (f"{FOLDER}/", f"{FOLDER}/Glyphs_01/", "__MACOSX/._x", f"{FOLDER}/Glyphs_01/.DS_Store"):
            add(members, name, b"")

    assert digest(repack(whole, tmp_path / "x.zip", litter)) == digest(whole)


def test_the_digest_knows_drawings_however_they_are_packed(whole: Path, tmp_path: Path) -> None:
    def otherwise(members: Members) -> None:
        members.reverse()
        for info, _ in members:
            info.compress_type, info.date_time = ZIP_DEFLATED, (1999, 1, 1, 0, 0, 0)

    def swap(members: Members) -> None:
        members[0], members[1] = (members[0][0], members[1][1]), (members[1][0], members[0][1])

    assert digest(repack(whole, tmp_path / "x.zip", otherwise)) == digest(whole)
    assert digest(repack(whole, tmp_path / "x.zip", swap)) != digest(whole)


def test_drawings_come_in_order_of_their_names_with_ink_black(whole: Path) -> None:
    names, images = zip(*read_drawings(whole, FOLDER, IMAGES), strict=True)
    assert list(names) == sorted(names) and names[0] == FIRST and len(names) == IMAGES
    with ZipFile(whole) as archive, archive.open(FIRST) as file, Image.open(file) as expected:
        assert images[0].tobytes() == expected.tobytes()
    assert sum(images[0].convert("L").histogram()[:1]) < 105 * 105 / 4  # black is the rarer


@st.composite
def damage(draw: st.DrawFn, size: int = 20_000) -> list[tuple[str, int, bytes]]:
    """Cuts, insertions and overwritten bytes, at places drawn uniformly or near either end."""
    place = st.one_of(st.integers(0, size), st.integers(0, 120), st.integers(size - 4000, size))
    kind = st.sampled_from(["cut", "insert", "overwrite", "drop"])
    return draw(st.lists(st.tuples(kind, place, st.binary(min_size=1, max_size=40)), min_size=1, max_size=4))


def damaged(content: bytes, changes: list[tuple[str, int, bytes]]) -> bytes:
    for kind, place, new in changes:
        place = min(place, len(content))
        rest = {"cut": b"", "insert": content[place:]}.get(kind, content[place + len(new) :])
        content = content[:place] + (new if kind in ("insert", "overwrite") else b"") + rest
    return content


@given(changes=damage())
@settings(deadline=2000)
def test_a_damaged_archive_is_refused_or_holds_the_same_drawings(
    changes: list[tuple[str, int, bytes]], whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(damaged(whole.read_bytes(), changes))
    try:
        content_digest = digest(path)
    except UserError as refused:
        assert len(str(refused)) < 400 and str(refused).isprintable()
    else:
        assert content_digest == digest(whole)
