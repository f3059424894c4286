"""Fetch Omniglot's archives from the first source that answers, and verify them."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import ArchiveRecord, Unreachable, record_archive
from metaglot.datasets.omniglot_layout import OfficialArchive
from metaglot.datasets.omniglot_mirrors import MIRROR, Mirror, copy_file, errors_name, list_sources, official
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings
from metaglot.datasets.progress_bar import ProgressBar

REMEDY = (
    f"set {MIRROR} to a folder or address that holds images_background.zip and images_evaluation.zip, "
    "or take synthetic characters: -S data.source=glyphs"
)
T = TypeVar("T")


def fetch_archives(
    parts: Sequence[OfficialArchive], to: Path, root: Path, progress: ProgressBar
) -> tuple[str, dict[str, ArchiveRecord]]:
    """Fetch all archives from one source; returns it and their records. A wrong answer ends the search."""

    def fetch_all(source: Mirror) -> tuple[str, dict[str, ArchiveRecord]]:
        return str(source), {part.folder: fetch_archive(source, part, to, progress) for part in parts}

    return ask_sources(root, fetch_all)


def check_archives(names: Sequence[str], root: Path) -> str:
    """Say which source opens all archives; raises Unreachable if none answers."""

    def open_all(source: Mirror) -> str:
        for name in names:
            with errors_name(source, f"{name}.zip"), source.open(f"{name}.zip"):
                pass
        return f"{source} answers"

    return ask_sources(root, open_all)


def ask_sources(root: Path, ask: Callable[[Mirror], T]) -> T:
    """Ask the first source that answers; raises UserError, with the remedy, for no answer or a wrong one."""
    silent = []
    try:
        for source in list_sources(root):
            try:
                return ask(source)
            except Unreachable as error:
                silent.append(str(error))
        raise Unreachable("; ".join(silent))
    except UserError as error:
        raise type(error)(f"{error}; {REMEDY}") from None


def fetch_archive(source: Mirror, archive: OfficialArchive, to: Path, progress: ProgressBar) -> ArchiveRecord:
    """Fetch and verify one archive; raises UserError unless it is Omniglot's."""
    path = to / f"{archive.folder}.zip"
    with errors_name(source, path.name):
        copy_file(source, path, progress)
        if source == official():
            check_md5(path, archive)
        return record_archive(path, archive.images, verify(path, archive))


def check_md5(path: Path, archive: OfficialArchive) -> None:
    """Raise UserError unless this is the official file, to the byte."""
    if (digest := md5(path)) != archive.md5:
        raise UserError(f"has md5 {digest}, the official file {archive.md5}")


def verify(path: Path, archive: OfficialArchive) -> str:
    """Return the digest of an archive's drawings; raises UserError unless they are Omniglot's."""
    digest = content_sha256(read_drawings(path, archive.folder, archive.images))
    if digest != archive.content_sha256 and md5(path) != archive.md5:
        raise UserError(f"holds other drawings than Omniglot's: sha256 {digest}, not {archive.content_sha256}")
    return digest


def md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
