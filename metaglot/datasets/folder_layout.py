"""Which images a folder of classes has, by class, from the names of its files alone."""

import os
from pathlib import Path
from typing import Literal

from metaglot.core.common.errors import UserError

Groups = Literal["none", "folders"]
SYSTEM_FILES = {"Thumbs.db", "ehthumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "lost+found"}


def list_images(folder: Path, groups: Groups) -> dict[str, list[Path]]:
    """The files of each class in the order of their names, `class` or `group/class`, sorted by group, then class.

    Hidden and system files are passed over, and files beside the folders of the classes. Raises UserError unless the
    folder has two classes, and for a folder that cannot be listed.
    """
    check_folder(folder)
    names: list[tuple[str, ...]] = [(name,) for name in _folders(folder)]
    if groups == "folders":
        names = [(*group, name) for group in names for name in _folders(folder.joinpath(*group))]
    images = {_text(name): _files(folder.joinpath(*name), groups) for name in names}
    images = {name: files for name, files in images.items() if files}
    if len(images) < 2:
        shown, found = _text((str(folder),)), _classes(len(images))
        raise UserError(f"{shown} has {found} with images; it takes two or more{_advice(folder, groups)}")
    return images


def _advice(folder: Path, groups: Groups) -> str:
    """What to change, if the images are one level higher than they are looked for."""
    if not _folders(folder) and _entries(folder):
        return "; it holds files itself: data.path takes the folder above it"
    is_flat = groups == "folders" and not any(_folders(folder / name) for name in _folders(folder))
    return "; its images are one level higher: data.groups: none" if is_flat and _folders(folder) else ""


def check_folder(folder: Path) -> None:
    """Raise UserError unless this is a folder."""
    shown = _text((str(folder),))
    if folder.is_file():
        raise UserError(f"{shown} is a file, not a folder with a folder of images for each class; unpack an archive")
    if not folder.is_dir():
        raise UserError(f"{shown} is no folder; data.path takes one with a folder of images for each class")


def class_count(names: list[str], groups: Groups) -> str:
    """How many classes, and in how many groups."""
    of_groups = len({name.partition("/")[0] for name in names})
    return _classes(len(names)) + (f" in {of_groups} group{'s' * (of_groups != 1)}" if groups == "folders" else "")


def _classes(number: int) -> str:
    return f"{number:,} class" + ("" if number == 1 else "es")


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            visible = [entry for entry in entries if not entry.name.startswith(".") and entry.name not in SYSTEM_FILES]
    except OSError as error:
        raise UserError(f"{_text((str(folder),))} cannot be listed: {str(error.strerror).lower()}") from None
    return sorted(visible, key=lambda entry: entry.name)


def _folders(folder: Path) -> list[str]:
    return [entry.name for entry in _entries(folder) if _is_folder(entry)]


def _files(folder: Path, groups: Groups) -> list[Path]:
    """The files of one class; raises UserError for a folder among them."""
    entries = _entries(folder)
    for entry in entries:
        if _is_folder(entry):
            advice = "data.groups: folders takes groups of classes" if groups == "none" else "it is one level too deep"
            raise UserError(f"{_text((str(folder),))} holds the folder {_text((entry.name,))}, not images; {advice}")
    return [Path(entry.path) for entry in entries]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _text(names: tuple[str, ...]) -> str:
    """Names of folders as one text; bytes that are no text are written as such."""
    return os.fsencode("/".join(names)).decode(errors="backslashreplace")
