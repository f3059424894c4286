"""Reads zip archives of drawings from untrusted sources: in memory, one bounded drawing at a time, never unpacked."""

import hashlib
import io
import re
import stat
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from PIL import Image

from metaglot.core.common.errors import UserError

SIDE = 105  # pixels
DRAWINGS = 20  # of each character, each by another hand
LARGEST_ARCHIVE = 16 * 2**20  # bytes; Omniglot's larger one has 9.5 million
LARGEST_DRAWING = 16 * 2**10  # bytes; Omniglot's largest has 522
NAME = r"[\w()-]+/character\d\d/\d{4}_\d\d\.png"  # Alphabet/character07/0007_20.png
FOLDER = r"([\w()-]+/(character\d\d/)?)?"
LITTER = r"__MACOSX/.*|.*/\.DS_Store"  # what macOS adds to an archive; it is not looked at


def read_drawings(path: Path, folder: str, images: int) -> Iterator[tuple[str, Image.Image]]:
    """Read an archive's one-bit drawings, 105x105, ink black, with their names, in sorted name order.

    folder: the one folder everything must lie in. images: how many drawings there must be, 20 for each character.
    Raises UserError, before or between drawings, when the archive is anything but that.
    """
    if path.stat().st_size > LARGEST_ARCHIVE:
        raise UserError(f"is larger than {LARGEST_ARCHIVE} bytes, too large to be {folder}.zip")
    try:
        archive = ZipFile(path)
    except Exception as error:  # a damaged directory makes zipfile raise almost anything
        raise UserError(f"is not a whole zip archive: {error}") from None
    with archive:
        for member in members(archive.infolist(), folder, images):
            yield member.filename, decode(archive, member)


def members(listed: list[ZipInfo], folder: str, images: int) -> list[ZipInfo]:
    """Sort out the drawings among an archive's members, from what its directory declares of them."""
    found = [member for member in listed if is_drawing(member, folder)]
    names = Counter(member.filename for member in found)
    name, times = names.most_common(1)[0] if names else ("", 0)
    if times > 1:
        raise UserError(f"holds {name} {times} times")
    for character, drawn in Counter(name.rpartition("/")[0] for name in names).items():
        if drawn != DRAWINGS:
            raise UserError(f"holds {drawn} drawings of {character} where there should be {DRAWINGS}")
    if len(found) != images:
        raise UserError(f"holds {len(found)} drawings where there should be {images}")
    return sorted(found, key=lambda member: member.filename)


def is_drawing(member: ZipInfo, folder: str) -> bool:
    """Tell a drawing from its folders; raises UserError for a member that is neither, or not a small plain file."""
    name, shown = member.filename, repr(member.filename[:80])
    if re.fullmatch(rf"{folder}/{FOLDER}|{LITTER}", name, re.ASCII):
        return False
    if not name.startswith(f"{folder}/") or ".." in name.split("/"):
        raise UserError(f"holds {shown}, which lies outside {folder}/")
    if not re.fullmatch(rf"{folder}/{NAME}", name, re.ASCII):
        raise UserError(f"holds {shown}, which is no drawing ({folder}/Alphabet/character01/0001_01.png)")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"holds {shown} as a link")
    if member.file_size > LARGEST_DRAWING:
        raise UserError(f"holds {shown} of {member.file_size} bytes; a drawing has no more than {LARGEST_DRAWING}")
    if member.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise UserError(f"holds {shown} in a compression other than deflate")
    return True


def decode(archive: ZipFile, member: ZipInfo) -> Image.Image:
    """Decode one drawing: zipfile stops at its declared size and compares its CRC, PIL may not even warn."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with archive.open(member) as file:
                content = file.read(member.file_size)  # without a size it would unpack a bomb to its end
            drawing = Image.open(io.BytesIO(content), formats=["PNG"])
            if (drawing.size, drawing.mode) == ((SIDE, SIDE), "1"):
                drawing.load()
    except Exception as error:  # of damaged data zipfile, zlib and PIL raise almost anything
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"holds {member.filename} damaged ({reason[:120]!r})") from None
    if (drawing.size, drawing.mode) != ((SIDE, SIDE), "1"):
        found = "{}x{} of mode {}".format(*drawing.size, drawing.mode)
        raise UserError(f"holds {member.filename} as {found}, where drawings are {SIDE}x{SIDE} of mode 1")
    return drawing


def content_sha256(named: Iterable[tuple[str, Image.Image]]) -> str:
    """Digest names and pixels, so that the same drawings packed anew, or compressed otherwise, are the same."""
    digest = hashlib.sha256()
    for name, drawing in named:
        digest.update(name.encode() + b"\0" + drawing.tobytes())
    return digest.hexdigest()
