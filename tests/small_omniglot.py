"""Two small archives laid out as Omniglot's, and a way to pack one anew with something changed."""

import io
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from PIL import Image

from metaglot.core.common.atomic_files import sha256, write_json
from metaglot.datasets import synthetic_glyphs
from metaglot.datasets.omniglot_download import md5
from metaglot.datasets.omniglot_layout import OfficialArchive
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings
from stages.support import paths

FOLDER = "images_background"
FIRST = f"{FOLDER}/Glyphs_01/character01/0001_01.png"

Members = list[tuple[ZipInfo, bytes]]
Archives = tuple[OfficialArchive, OfficialArchive]


def archive(path: Path, folder: str, sizes: list[int], first: int) -> OfficialArchive:
    """Write an archive of few characters, and return what is known of it, as of an official one."""
    synthetic_glyphs.write_archive(path, folder, sizes, first)
    images = 20 * sum(sizes)
    content = content_sha256(read_drawings(path, folder, images))
    return OfficialArchive(folder, len(sizes), sum(sizes), images, md5(path), content)


def pair(mirror: Path) -> Archives:
    """Fill a mirror with six alphabets and with two."""
    mirror.mkdir(parents=True, exist_ok=True)
    background = archive(mirror / "images_background.zip", "images_background", [2, 1, 1, 1, 1, 1], 1)
    return background, archive(mirror / "images_evaluation.zip", "images_evaluation", [2, 1], 7)


def pack(path: Path, members: Members) -> Path:
    with ZipFile(path, "w") as packed:
        for info, content in members:
            packed.writestr(info, content)
    return path


def unpack(path: Path) -> Members:
    with ZipFile(path) as packed:
        return [(info, packed.read(info)) for info in packed.infolist()]


def repack(source: Path, target: Path, change: Callable[[Members], None]) -> Path:
    """Write `target` with the members of `source`, changed."""
    members = unpack(source)
    change(members)
    return pack(target, members)


def png(size: tuple[int, int] = (105, 105), mode: str = "1") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, "PNG")
    return buffer.getvalue()


def record_source(archives: Archives) -> None:
    """Write what `download` records of archives that lie in data/raw."""
    held = {
        archive.folder: {
            "images": archive.images,
            "content_sha256": archive.content_sha256,
            "file_sha256": sha256(paths.RAW / f"{archive.folder}.zip"),
            "bytes": 0,
        }
        for archive in archives
    }
    write_json(paths.SOURCE, {"dataset": "omniglot", "source": "/mirror", "archives": held})
