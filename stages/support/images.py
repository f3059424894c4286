"""The images of one part of the split, on a device."""

import sys
from pathlib import Path

import torch

from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.class_splits import alphabet
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.split_parts import load_split_part


def load_images(path: Path, device: torch.device, task: TaskConfig) -> ImageStore:
    """Load them, and say which alphabets have too few characters where a task's are from one alphabet."""
    split_part = load_split_part(path)
    images = ImageStore(split_part.images, device, [alphabet(name) for name in split_part.names], split_part.counts)
    if task.characters == "alphabet" and images.alphabets and (left_out := images.alphabets.too_small(task.ways)):
        print(
            f"{path.stem}: {len(left_out)} of {len(images.alphabets.names)} alphabets have fewer than {task.ways} "
            f"characters and are left out: {', '.join(left_out)}",
            file=sys.stderr,
        )
    return images
