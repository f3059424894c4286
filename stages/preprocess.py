"""Shrink the images and split the classes.

Reads split.yaml and the raw archives with their source.json, or a folder of images; writes train.npz, validation.npz,
test.npz and split.json.
"""

import sys
from typing import Any

from rich.console import Console
from rich.progress import Progress

from metaglot.core.common.atomic_files import write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.core.tasks import class_splits, split_parts
from metaglot.core.tasks.split_sizes import fitted_sizes, group_split
from metaglot.datasets.dataset import RawImages
from metaglot.datasets.folder_layout import class_count
from metaglot.datasets.image_folder import FolderImages, read_folder
from metaglot.datasets.registry import load_dataset_by_name
from metaglot.datasets.stage_configs import FolderConfig, PreprocessStageConfig
from stages.support import paths
from stages.support.command_line import run_command


def read(config: PreprocessStageConfig) -> tuple[RawImages, dict[str, Any]]:
    """Read the images, with a bar on a terminal; return them and the record of what a folder leaves out."""
    console = Console(file=sys.stderr)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        if config.folder is None:
            dataset = load_dataset_by_name(config.dataset, paths.SPLIT_CONFIG)
            return dataset.read(paths.RAW, config.image_size, progress), {}
        found = read_folder(config.folder, config.image_size, progress)
    return RawImages(found.images, {}), left_out(config.folder, found)


def left_out(config: FolderConfig, found: FolderImages) -> dict[str, Any]:
    """Say what takes part and what does not; raises UserError for unreadable images that are not to be skipped."""
    for line in found.unreadable:
        say(line)
    if found.unreadable and config.unreadable == "refuse":
        number = len(found.unreadable)
        raise UserError(f"images that cannot be read: {number}, named above; data.unreadable: skip leaves them out")
    images = sum(len(of_class) for of_class in found.images.values())
    say(f"{config.path}: {class_count(list(found.images), config.groups)}, {images:,} images")
    if found.too_few:
        dropped = f"{len(found.too_few):,} classes with {sum(found.too_few.values()):,} images"
        say(f"left out: {dropped}, which have fewer than the {config.images_needed} that a task needs of each")
    unreadable = len(found.unreadable)
    return {"left_out": {"unreadable_pictures": unreadable, "classes_with_too_few": found.too_few}}


def split(config: PreprocessStageConfig, images: RawImages) -> class_splits.Split:
    """Say which class is in which part."""
    background, evaluation = list(images.background), list(images.evaluation)
    if config.folder is None and config.kind == "background":
        return class_splits.background_split(background, evaluation, config.seed)
    if config.train is None or config.validation is None or config.test is None:
        raise UserError(f"{paths.SPLIT_CONFIG}: a random split needs counts: train, validation and test")
    everything = sorted(background + evaluation, key=lambda name: name.split("/"))
    shares = (config.train, config.validation, config.test)
    if config.folder is None:
        return class_splits.random_split(everything, config.seed, [int(share) for share in shares])
    if config.kind == "background":
        return group_split(everything, config.seed, shares, config.folder.ways)
    return class_splits.random_split(everything, config.seed, fitted_sizes(len(everything), shares, config.folder.ways))


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Shrink the images and split the classes."""
    config = load_stage_config(PreprocessStageConfig, paths.SPLIT_CONFIG)
    raw, about = read(config)
    names, images = split(config, raw), raw.background | raw.evaluation
    parts = {part: split_parts.join_classes(images, of_part) for part, of_part in names.items()}
    if config.folder is not None:
        sizes = ", ".join(f"{part} {len(of_part):,}" for part, of_part in names.items())
        say(f"classes: {sizes}")
    sha256 = split_parts.split_digest(config.dataset, parts)
    for part, kept in parts.items():
        also = {"split_sha256": sha256} if part == "test" else {}
        split_parts.save_split_part(paths.split(part), kept, **also)
    record = {"dataset": config.dataset, "kind": config.kind, "seed": config.seed, "sha256": sha256}
    write_json(paths.SPLIT_RECORD, record | names | about)


if __name__ == "__main__":
    run_command(main)
