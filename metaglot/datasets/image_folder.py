"""A folder of images, with a folder for each class, as a data set: read on every core, in bounded memory."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import ImageForm
from metaglot.core.common.usable_cores import usable_cores
from metaglot.datasets.folder_layout import list_images
from metaglot.datasets.free_memory import free_memory
from metaglot.datasets.image_files import read_image
from metaglot.datasets.image_input import Pixels, image_input
from metaglot.datasets.progress_bar import NO_PROGRESS_BAR, ProgressBar
from metaglot.datasets.stage_configs import FolderConfig

PARALLEL = 1000  # images from which several processes are faster than one
CHUNK = 64  # images that a process reads at a time
COPIES = 5  # of an image in memory while a network is trained: as loaded, and in four rotations
GIB = 2**30


class FolderImages(NamedTuple):
    """images: of each class that takes part, by name. unreadable: a line for each image. too_few: images by class."""

    images: dict[str, np.ndarray]
    unreadable: list[str]
    too_few: dict[str, int]


def read_folder(config: FolderConfig, size: int, progress: ProgressBar = NO_PROGRESS_BAR) -> FolderImages:
    """Read the images of every class that has at least `config.images_needed` of them, at `size` pixels.

    Raises UserError if the folder has no classes of images, or memory is too small for them.
    """
    files = list_images(Path(config.path), config.groups)
    flat = [path for of_class in files.values() for path in of_class]
    shape = (size, size) if config.form.channels == 1 else (size, size, 3)
    check_memory(len(flat), shape, free_memory())
    pixels, is_read, unreadable = np.empty((len(flat), *shape), np.uint8), np.zeros(len(flat), bool), []
    found = progress.track(_read_all(flat, size, config.form), len(flat), description="images")
    for number, image in enumerate(found):
        if isinstance(image, str):
            unreadable.append(image)
        else:
            pixels[number], is_read[number] = image, True
    return _by_class(files, pixels, is_read, unreadable, config.images_needed)


def _by_class(
    files: dict[str, list[Path]], pixels: np.ndarray, is_read: np.ndarray, unreadable: list[str], needed: int
) -> FolderImages:
    images, too_few, start = {}, {}, 0
    for name, of_class in files.items():
        end = start + len(of_class)
        whole = is_read[start:end]
        if (count := int(whole.sum())) >= needed:
            images[name] = pixels[start:end] if whole.all() else pixels[start:end][whole]
        else:
            too_few[name] = count
        start = end
    return FolderImages(images, unreadable, too_few)


def check_memory(images: int, shape: tuple[int, ...], free: int) -> None:
    """Raise UserError if so many images of this shape do not fit into so many bytes."""
    needed = COPIES * images * int(np.prod(shape))
    if needed > free:
        raise UserError(
            f"{images:,} images of {'x'.join(map(str, shape))} take {needed / GIB:,.1f} GiB of memory in all "
            f"rotations, and {free / GIB:,.1f} GiB are free: lower data.image_size or take fewer images"
        )


def _read_all(paths: list[Path], size: int, form: ImageForm) -> Iterator[Pixels | str]:
    """Yield each image, or the reason why it cannot be read."""
    workers = usable_cores()
    if len(paths) < PARALLEL or workers == 1:
        yield from (_read(path, size, form) for path in paths)
        return
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            for images in pool.map(_read_chunk, chunks, repeat(size), repeat(form)):
                yield from images
        except BrokenProcessPool:
            raise UserError("a process that reads images was killed; memory may be too small") from None
        finally:
            pool.shutdown(cancel_futures=True)


def _read_chunk(paths: list[Path], size: int, form: ImageForm) -> list[Pixels | str]:
    return [_read(path, size, form) for path in paths]


def _read(path: Path, size: int, form: ImageForm) -> Pixels | str:
    try:
        return image_input(read_image(path), size, form)
    except (UserError, OSError) as error:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        return f"{shown} {error if isinstance(error, UserError) else 'is not there'}"
