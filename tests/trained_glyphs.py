"""Small networks trained on glyphs by the stage itself, and unseen glyphs as a user's images."""

import io
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from small_workspace import SHA256, configure

from metaglot.core.tasks import split_parts
from metaglot.datasets import synthetic_glyphs
from metaglot.datasets.omniglot_layout import shrink_drawing
from stages import train
from stages.support import paths

SIZE, WAYS, SHOTS = 14, 3, 3
TASK = {"data.image_size": SIZE, "task.ways": WAYS, "task.shots": SHOTS, "task.queries": 3}
LEARNS = {"train.iterations": 200, "train.meta_batch_size": 8, "train.validate_every": 200}
CHARACTERS = {"train": 60, "validation": 5, "test": 5}


def drawings(characters: int, alphabet: int) -> list[list[Image.Image]]:
    """The 20 drawings of each character of a new alphabet: one bit, 105x105, black on white."""
    drawn = synthetic_glyphs.characters(characters, (0, alphabet))
    return [[Image.open(io.BytesIO(synthetic_glyphs.png(lines))) for lines in hands] for hands in drawn]


def trained(folder: Path, algorithm: str = "maml", **changes: Any) -> Path:
    """Train in `folder`; return the run's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    configure(folder, TASK | LEARNS | {"algorithms": [algorithm]} | dotted)
    size = dotted.get("data.image_size", SIZE)
    for alphabet, (part, count) in enumerate(CHARACTERS.items()):
        images = [[shrink_drawing(drawing, size) for drawing in hands] for hands in drawings(count, alphabet)]
        names = [f"Glyphs_{alphabet}/character{n:02}" for n in range(count)]
        characters = split_parts.SplitPart(np.array(images), names)
        split_parts.save_split_part(folder / paths.split(part), characters, split_sha256=SHA256)
    with chdir(folder):
        train.main(algorithm, 42)
    return folder / paths.model(algorithm, 42)


def save(folder: Path, characters: dict[str, list[Image.Image]]) -> None:
    """Write images as `folder/name/1.png`, `folder/name/2.png`, ..."""
    for name, images in characters.items():
        (folder / name).mkdir(parents=True)
        for number, image in enumerate(images, start=1):
            image.save(folder / name / f"{number}.png")
