"""Fetch the raw data, or make it.

Reads data.yaml, and the mirror or the official address; writes the raw archives and source.json. Archives that are
there and match source.json are kept, without any network.
"""

import shutil
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from metaglot.core.common.atomic_files import atomic_folder, write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.datasets.dataset import RECORD, Dataset, SourceRecord, Unreachable
from metaglot.datasets.registry import DATASETS, FOLDER, load_dataset
from metaglot.datasets.stage_configs import DownloadStageConfig
from stages.support import paths
from stages.support.command_line import run_command

UNREACHABLE = 3  # the exit code of --check when no source answers


def fetch_nothing() -> None:
    """Leave data/raw without archives: a folder of images is read where it is."""
    with atomic_folder(paths.RAW) as folder:
        write_json(folder / RECORD, SourceRecord(dataset=FOLDER, source="data.path", archives={}).model_dump())


def is_here(dataset: Dataset) -> bool:
    """Whether data/raw holds this data set, whole."""
    try:
        dataset.check_raw(paths.RAW)
    except UserError:
        return False
    return True


def refuse_others() -> None:
    """Raise UserError if data/raw has a file of the user's, or is a link: this stage replaces the folder as a whole."""
    if paths.RAW.is_symlink():
        raise UserError(f"{paths.RAW} is a link, but it is for downloads, which replace it: make it a folder")
    known = {RECORD, *(f"{name}.zip" for source in DATASETS for name in load_dataset(source).archives)}
    files = {path for path in paths.RAW.rglob("*") if path.is_file() and not path.name.startswith(".")}
    if others := sorted(files - {paths.RAW / name for name in known}):
        raise UserError(f"{others[0]} is of no data set: {paths.RAW} is for downloads, so move it elsewhere")


def keep(dataset: Dataset) -> None:
    """Remove everything but the data set from data/raw, so that DVC sees the same folder as after a download."""
    wanted = {RECORD, *(f"{name}.zip" for name in dataset.archives)}
    for path in paths.RAW.iterdir():
        if path.name not in wanted:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    say(f"{paths.RAW} holds {dataset.raw_name}, whole: nothing to download")


def fetch(dataset: Dataset) -> None:
    """Replace data/raw once all of it is there."""
    with atomic_folder(paths.RAW) as folder:
        with bar() as progress:
            record = dataset.fetch(folder, paths.root(), progress)
        write_json(folder / RECORD, record.model_dump())
    for name, archive in record.archives.items():
        say(f"{record.source}/{name}.zip: {archive.images} images, verified")


def bar() -> Progress:
    """Bytes, rate and time left; shown on a terminal only."""
    console = Console(file=sys.stderr)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(TextColumn("{task.description}"), *columns, console=console, disable=not console.is_terminal)


def check(dataset: Dataset) -> None:
    """Say whether the data is here or a source answers; exits with code 3 if neither."""
    if not dataset.made_here and is_here(dataset):
        return say(f"{paths.RAW} holds {dataset.raw_name}")
    try:
        say(dataset.check_source(paths.root()))
    except Unreachable as error:
        say(f"{dataset.name} cannot be reached: {error}")
        raise typer.Exit(UNREACHABLE) from None


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main(
    only_check: Annotated[
        bool, typer.Option("--check", help="only say whether the data is here or can be had")
    ] = False,
    source: Annotated[str | None, typer.Option(help="the data.source, if not data.yaml's")] = None,
) -> None:
    """Fetch the raw data, or make it; what is there and whole is kept."""
    named = source or load_stage_config(DownloadStageConfig, paths.DATA_CONFIG).source
    if not only_check:
        refuse_others()
    if named == FOLDER:
        say("a folder of images: nothing to download")
        return None if only_check else fetch_nothing()
    dataset = load_dataset(named, "--source" if source else paths.DATA_CONFIG)
    if only_check:
        check(dataset)
    elif not dataset.made_here and is_here(dataset):
        keep(dataset)
    else:
        fetch(dataset)


if __name__ == "__main__":
    run_command(main)
