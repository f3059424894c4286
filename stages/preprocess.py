"""Shrink the drawings and split the characters.

Reads split.yaml and the raw archives with their source.json; writes train.npz, validation.npz, test.npz and split.json.
"""

import sys
from collections import defaultdict
from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from metaglot.core.common.atomic_files import write_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import PreprocessStageConfig, load_stage_config
from metaglot.core.tasks import class_splits
from metaglot.datasets.omniglot import BACKGROUND, EVALUATION, NEAREST, shrink_drawing
from metaglot.datasets.omniglot_zip import read_drawings
from metaglot.datasets.source_record import SourceRecord, check_archive, read_source
from stages.support import paths
from stages.support.command_line import run_command

T = TypeVar("T")


def characters(folder: str, source: SourceRecord, config: PreprocessStageConfig) -> dict[str, np.ndarray]:
    """Read an archive as uint8 [20, image_size, image_size] by character, sorted by alphabet, then character."""
    path, images = check_archive(paths.RAW, folder, source), source.archives[folder].images
    drawn = defaultdict(list)
    try:
        for name, drawing in bar(read_drawings(path, folder, images), folder, images):
            _, alphabet, character, _ = name.split("/")
            drawn[alphabet, character].append(shrink_drawing(drawing, config.image_size, config.dataset))
    except UserError as error:
        raise UserError(f"{path} {error}; run `python -m stages.download` again") from None
    return {f"{alphabet}/{character}": np.stack(drawn[alphabet, character]) for alphabet, character in sorted(drawn)}


def bar(things: Iterable[T], title: str, total: int) -> Iterable[T]:
    """Show how far it is, on a terminal."""
    console = Console(file=sys.stderr)
    return track(things, title, total, console=console, disable=not console.is_terminal)


def split(config: PreprocessStageConfig, background: list[str], evaluation: list[str]) -> class_splits.Split:
    """Say which character is in which part."""
    if config.kind == "background":
        return class_splits.background_split(background, evaluation, config.seed)
    if config.train is None or config.validation is None or config.test is None:
        raise UserError(f"{paths.SPLIT_CONFIG}: a random split needs counts: train, validation and test")
    everything = sorted(background + evaluation, key=lambda name: name.split("/"))
    return class_splits.random_split(everything, config.seed, (config.train, config.validation, config.test))


def main() -> None:
    """Shrink the drawings and split the characters."""
    config, source = load_stage_config(PreprocessStageConfig, paths.SPLIT_CONFIG), read_source(paths.SOURCE)
    if source.dataset != ("omniglot" if config.dataset == NEAREST else config.dataset):
        wanted = f"{paths.SPLIT_CONFIG} asks for {config.dataset}; run `python -m stages.download` again"
        raise UserError(f"{paths.RAW} holds {source.dataset}, {wanted}")
    background = characters(BACKGROUND.folder, source, config)
    evaluation = characters(EVALUATION.folder, source, config)
    parts = split(config, list(background), list(evaluation))
    sha256, images = class_splits.split_digest(config.dataset, parts), background | evaluation
    for part, names in parts.items():
        also = {"split_sha256": sha256} if part == "test" else {}
        kept = class_splits.SplitPart(np.stack([images[name] for name in names]), names)
        class_splits.save_split_part(paths.split(part), kept, **also)
    record = {"dataset": config.dataset, "kind": config.kind, "seed": config.seed, "sha256": sha256}
    write_json(paths.SPLIT_RECORD, record | parts)


if __name__ == "__main__":
    run_command(main)
