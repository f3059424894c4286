"""Shrink the images and split the classes.

Reads split.yaml and the raw archives with their source.json; writes train.npz, validation.npz, test.npz and split.json.
"""

import sys

import numpy as np
from rich.console import Console
from rich.progress import Progress

from metaglot.core.common.atomic_files import write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.core.tasks import class_splits
from metaglot.datasets.dataset import RawImages
from metaglot.datasets.registry import load_dataset_by_name
from metaglot.datasets.stage_configs import PreprocessStageConfig
from stages.support import paths
from stages.support.command_line import run_command


def read(config: PreprocessStageConfig) -> RawImages:
    """Read the images, with a bar on a terminal."""
    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        return load_dataset_by_name(config.dataset, paths.SPLIT_CONFIG).read(paths.RAW, config.image_size, progress)


def split(config: PreprocessStageConfig, images: RawImages) -> class_splits.Split:
    """Say which class is in which part."""
    background, evaluation = list(images.background), list(images.evaluation)
    if config.kind == "background":
        return class_splits.background_split(background, evaluation, config.seed)
    if config.train is None or config.validation is None or config.test is None:
        raise UserError(f"{paths.SPLIT_CONFIG}: a random split needs counts: train, validation and test")
    everything = sorted(background + evaluation, key=lambda name: name.split("/"))
    return class_splits.random_split(everything, config.seed, (config.train, config.validation, config.test))


def main() -> None:
    """Shrink the images and split the classes."""
    config = load_stage_config(PreprocessStageConfig, paths.SPLIT_CONFIG)
    raw = read(config)
    names, images = split(config, raw), raw.background | raw.evaluation
    parts = {
        part: class_splits.SplitPart(np.stack([images[name] for name in of_part]), of_part)
        for part, of_part in names.items()
    }
    sha256 = class_splits.split_digest(config.dataset, parts)
    for part, kept in parts.items():
        also = {"split_sha256": sha256} if part == "test" else {}
        class_splits.save_split_part(paths.split(part), kept, **also)
    record = {"dataset": config.dataset, "kind": config.kind, "seed": config.seed, "sha256": sha256}
    write_json(paths.SPLIT_RECORD, record | names)


if __name__ == "__main__":
    run_command(main)
