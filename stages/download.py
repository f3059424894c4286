"""Fetch Omniglot's two archives, or make glyphs in their place.

Reads data.yaml, and the mirror or the official addresses; writes images_background.zip, images_evaluation.zip
and source.json.
"""

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from metaglot.core.common.atomic_files import atomic_write, sha256, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import Dataset, DownloadStageConfig, load_stage_config
from metaglot.datasets import synthetic_glyphs
from metaglot.datasets.omniglot import ADDRESS, ARCHIVES, BACKGROUND, OfficialArchive, check_md5, verify
from metaglot.datasets.omniglot_mirrors import MIRROR, FolderMirror, Unreachable, WebMirror, list_sources
from metaglot.datasets.omniglot_zip import LARGEST_ARCHIVE, content_sha256, read_drawings
from metaglot.datasets.source_record import ArchiveRecord, SourceRecord, check_archive, read_source
from stages.support import paths
from stages.support.command_line import run_command

WAYS_OUT = (
    f"set {MIRROR} to a folder or address that holds images_background.zip and images_evaluation.zip, "
    "or take synthetic characters: -S data.source=glyphs"
)
NOWHERE = 3  # the exit code of --check when no source answers
CHUNK = 2**16
LONGEST = 1800  # seconds for one archive, so that a server that trickles comes to an end

Fill = Callable[[OfficialArchive, Path], str]  # writes an archive to a path; returns the digest of its drawings


def keep(dataset: Dataset, source: str, fill: Fill) -> None:
    """Write both archives and their record, and move them into place once both are whole."""
    held = {}
    with ExitStack() as stack:
        for archive in ARCHIVES:
            beside = stack.enter_context(atomic_write(paths.RAW / f"{archive.folder}.zip"))
            content, size = fill(archive, beside), beside.stat().st_size
            held[archive.folder] = ArchiveRecord(
                images=archive.images, content_sha256=content, file_sha256=sha256(beside), bytes=size
            )
    write_json(paths.SOURCE, SourceRecord(dataset=dataset, source=source, archives=held).model_dump())


def make(archive: OfficialArchive, path: Path) -> str:
    """Draw glyphs, as many as Omniglot has characters, under alphabets numbered on from archive to archive."""
    first = 1 if archive.folder == BACKGROUND.folder else 1 + BACKGROUND.alphabets
    synthetic_glyphs.write_archive(
        path, archive.folder, synthetic_glyphs.sizes(archive.characters, archive.alphabets), first
    )
    return content_sha256(read_drawings(path, archive.folder, archive.images))


def fetch(source: FolderMirror | WebMirror, progress: Progress) -> None:
    """Fetch both archives from one source; raises UserError, naming the archive, unless they are Omniglot's."""

    def fill(archive: OfficialArchive, path: Path) -> str:
        name = f"{archive.folder}.zip"
        try:
            copy(source, name, path, progress)
            if source == WebMirror(ADDRESS):
                check_md5(path, archive)
            content = verify(path, archive)
        except UserError as error:
            raise type(error)(f"{source}/{name} {error}") from None
        say(f"{source}/{name}: {archive.images} drawings, every one as it should be")
        return content

    keep("omniglot", str(source), fill)


def copy(source: FolderMirror | WebMirror, name: str, path: Path, progress: Progress) -> None:
    """Copy a file of a source; raises UserError once it is too large or too slow."""
    end = time.monotonic() + LONGEST
    with source.open(name) as (read, size), path.open("wb") as file:
        task = progress.add_task(name, total=size)
        while chunk := read(CHUNK):
            file.write(chunk)
            progress.advance(task, len(chunk))
            if file.tell() > LARGEST_ARCHIVE:
                raise UserError(f"is larger than {LARGEST_ARCHIVE} bytes")
            if time.monotonic() > end:
                raise UserError(f"is not here after {LONGEST} seconds")


def download() -> None:
    """Fetch Omniglot from the first source that answers; one that answers something wrong ends the search."""
    silent = []
    for source in list_sources():
        try:
            with bar() as progress:
                return fetch(source, progress)
        except Unreachable as error:
            silent.append(str(error))
    raise Unreachable("; ".join(silent))


def bar() -> Progress:
    """Bytes, rate and time left; nothing where there is no terminal."""
    console = Console(file=sys.stderr)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(TextColumn("{task.description}"), *columns, console=console, disable=not console.is_terminal)


def check() -> None:
    """Say whether a source answers, and write nothing; exit with 3 where none does."""
    for source in list_sources():
        try:
            for archive in ARCHIVES:
                with source.open(f"{archive.folder}.zip"):
                    pass
            return say(f"{source} answers")
        except Unreachable as error:
            say(f"{source} {error}")
        except UserError as error:
            raise UserError(f"{source}/{archive.folder}.zip {error}") from None
    say(f"Omniglot cannot be reached: {WAYS_OUT}")
    raise typer.Exit(NOWHERE)


def needless() -> str | None:
    """Say why no source is needed, where that is so."""
    if paths.DATA_CONFIG.exists() and load_stage_config(DownloadStageConfig, paths.DATA_CONFIG).source == "glyphs":
        return "data.source is glyphs: they are made here"
    try:
        source = read_source(paths.SOURCE)
        held = [check_archive(paths.RAW, archive.folder, source) for archive in ARCHIVES]
    except UserError:
        return None
    return f"{held[0].parent} holds Omniglot" if source.dataset == "omniglot" else None


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(
    only_check: Annotated[bool, typer.Option("--check", help="only say whether a source answers")] = False,
) -> None:
    """Fetch Omniglot's two archives, or make glyphs in their place."""
    if only_check and (already := needless()):
        return say(already)
    if not only_check and load_stage_config(DownloadStageConfig, paths.DATA_CONFIG).source == "glyphs":
        return keep("glyphs (synthetic)", "generated", make)
    try:
        check() if only_check else download()
    except UserError as error:
        raise type(error)(f"{error}; {WAYS_OUT}") from None


if __name__ == "__main__":
    run_command(main)
