"""A working directory that `train` and `evaluate` can run in: configs, and splits of characters made in no time."""

from pathlib import Path
from typing import Any

import numpy as np
from params_file import TINY, changed, text

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes, resolve
from metaglot.core.common.atomic_files import write_yaml
from metaglot.core.tasks import class_splits, split_parts
from stages.support import paths

SMALL = TINY | {"data.image_size": 12, "train.iterations": 5, "train.validate_every": 2, "evaluate.tasks": 20}
SHA256 = "5a" * 32


def configure(folder: Path, changes: dict[str, Any]) -> None:
    """Write data/config as `configure` would, of tiny params with these changes."""
    classes = import_classes(ALGORITHMS)
    for name, section in resolve(parse_params(text(changed(SMALL | changes)), classes), classes).items():
        write_yaml(folder / paths.CONFIG / name, section.model_dump())


def split(folder: Path, size: int) -> None:
    """Write data/splits: each character specks of its own, of which each drawing has some others."""
    for seed, part in enumerate(class_splits.PARTS):
        random = np.random.default_rng(seed)
        own = random.random((30, 1, size, size)) < 0.2
        noise = random.random((30, 20, size, size)) < 0.05
        characters = split_parts.SplitPart(
            (own ^ noise) * np.uint8(255), [f"Specks/character{n:02}" for n in range(30)]
        )
        split_parts.save_split_part(
            folder / paths.split(part), characters, **{"split_sha256": SHA256} if part == "test" else {}
        )


def workspace(folder: Path, **changes: Any) -> Path:
    """A folder with all that a training needs; `changes` of params by key, `__` for the dot."""
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    configure(folder, dotted)
    split(folder, (SMALL | dotted)["data.image_size"])
    return folder
