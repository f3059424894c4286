"""Validate params.yaml, and hand each stage the part of it that it depends on.

Reads params.yaml, which no other stage does, and the table of algorithms; writes data/config, all of it or nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.params import FILE
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes, overridden_settings, resolve
from metaglot.config.validation_messages import value_error
from metaglot.core.common.atomic_files import atomic_folder, write_yaml
from metaglot.core.common.stage_configs import StrictModel
from metaglot.datasets.folder_layout import check_folder
from metaglot.evaluation.stage_configs import TEST_SPLIT
from stages.support import paths
from stages.support.command_line import run_command


def write(folder: Path, files: Mapping[str, StrictModel]) -> None:
    """Write all files to the folder and remove all others; on failure the folder stays as it was."""
    with atomic_folder(folder) as beside:
        for name, section in files.items():
            write_yaml(beside / name, section.model_dump())


def check_test_split(path: str) -> None:
    """Raise UserError unless another project's test split is there; this project's is made later."""
    if path != TEST_SPLIT and not Path(path).is_file():
        takes = f"{TEST_SPLIT}, or such a file of another project; there is none"
        raise value_error(FILE, ["evaluate", "test_split"], path, takes)


def main(
    check: Annotated[bool, typer.Option("--check", help="print what is wrong, and write nothing")] = False,
) -> None:
    """Validate params.yaml, and hand each stage the part of it that it depends on."""
    classes = import_classes(ALGORITHMS)
    params = parse_params(Path(FILE).read_bytes(), classes)
    if params.data.is_folder:
        check_folder(Path(params.data.path))
    check_test_split(params.evaluate.test_split)
    files = resolve(params, classes)
    if check:
        return
    for line in overridden_settings(params):
        print(f"{FILE}: {line}")
    write(paths.CONFIG, files)


if __name__ == "__main__":
    run_command(main)
