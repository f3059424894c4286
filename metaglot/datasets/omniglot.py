"""Omniglot: fetched from a mirror or from its authors, and verified.

B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum, "Human-level concept learning through probabilistic program
induction", Science 350, 2015. https://github.com/brendenlake/omniglot
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from PIL import Image
from rich.progress import Progress

from metaglot.core.common.errors import UserError
from metaglot.datasets.dataset import SILENT, ArchiveRecord, SourceRecord, Unreachable, record_archive
from metaglot.datasets.omniglot_layout import OfficialArchive, OmniglotLayout
from metaglot.datasets.omniglot_mirrors import MIRROR, Mirror, copy_file, errors_name, list_sources, official
from metaglot.datasets.omniglot_zip import content_sha256, read_drawings

REMEDY = (
    f"set {MIRROR} to a folder or address that holds images_background.zip and images_evaluation.zip, "
    "or take synthetic characters: -S data.source=glyphs"
)
T = TypeVar("T")


class Omniglot(OmniglotLayout):
    """32,460 drawings of 1,623 characters, in shades of grey."""

    name = "omniglot"

    def fetch(self, to: Path, root: Path, progress: Progress = SILENT) -> SourceRecord:
        """Fetch both archives from the first source that answers; a wrong answer ends the search."""

        def fetch_all(source: Mirror) -> SourceRecord:
            fetched = {part.folder: fetch_archive(source, part, to, progress) for part in self.parts}
            return SourceRecord(dataset=self.raw_name, source=str(source), archives=fetched)

        return ask_sources(root, fetch_all)

    def check_source(self, root: Path) -> str:
        def open_all(source: Mirror) -> str:
            for name in self.archives:
                with errors_name(source, f"{name}.zip"), source.open(f"{name}.zip"):
                    pass
            return f"{source} answers"

        return ask_sources(root, open_all)


class OmniglotNearest(Omniglot):
    """The same drawings, shrunk to black and white.

    The code of Finn et al. 2017 asks for the same filter, but applies it to the one-bit drawing, where Pillow takes the
    nearest pixel whatever filter is given: strokes get steps and lose their grey.
    """

    name = "omniglot-nearest"
    fetched_as = "omniglot"
    resampling = Image.Resampling.NEAREST


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


def fetch_archive(source: Mirror, archive: OfficialArchive, to: Path, progress: Progress) -> ArchiveRecord:
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
