"""Folders of generated images: a class is a shape of its own in a colour of its own."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw


def write_class(folder: Path, count: int, seed: int, mode: str = "RGB") -> None:
    """Write so many images of one class, of different sizes, as PNG and JPEG."""
    random = np.random.default_rng(seed)
    colour = tuple(int(value) for value in random.integers(0, 140, 3))
    corners = random.uniform(0.1, 0.9, (4, 2))
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        width, height = (int(side) for side in random.integers(24, 60, 2))
        image = Image.new("RGB", (width, height), (250, 245, 240))
        moved = (corners + random.normal(0, 0.03, corners.shape)) * (width, height)
        ImageDraw.Draw(image).line([tuple(point) for point in moved.tolist()], fill=colour, width=4)
        image.convert(mode).save(folder / f"{number:03}.{'png' if number % 2 else 'jpg'}")


def write_folder(folder: Path, counts: Mapping[str, int], mode: str = "RGB") -> Path:
    """Write images by class, `class` or `group/class`."""
    for seed, (name, count) in enumerate(counts.items()):
        write_class(folder / name, count, seed, mode)
    return folder
