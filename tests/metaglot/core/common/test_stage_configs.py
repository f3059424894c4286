"""The config files between stages: read as written, or refused by file and key."""

from pathlib import Path
from typing import Any

import pytest
from error_lines import error_line
from params_file import TEXT

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes, resolve
from metaglot.core.common.atomic_files import write_yaml
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config

CLASSES = import_classes(ALGORITHMS)
FILES = resolve(parse_params(TEXT, CLASSES), CLASSES)


@pytest.mark.parametrize("name", ["maml/train.yaml", "maml/evaluate.yaml", "report.yaml"])
def test_a_config_is_read_as_it_was_written(tmp_path: Path, name: str) -> None:
    write_yaml(tmp_path / "config.yaml", FILES[name].model_dump())
    assert load_stage_config(type(FILES[name]), tmp_path / "config.yaml") == FILES[name]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"seed": 42}, "seed: Extra inputs are not permitted"),
        ({"image_size": 28.0}, "image_size: Input should be a valid integer"),
        ({"task": {"ways": 5}}, "task.shots: Field required"),
        ({"train": None}, "train: Input should be"),
    ],
)
def test_a_config_that_is_no_such_config_is_refused_by_file_and_key(
    tmp_path: Path, change: dict[str, Any], complaint: str
) -> None:
    path = tmp_path / "train.yaml"
    write_yaml(path, FILES["maml/train.yaml"].model_dump() | change)
    assert error_line(lambda: load_stage_config(TrainStageConfig, path)).startswith(f"{path}: {complaint}")


@pytest.mark.parametrize("content", [b"", b"[]", b"fc", b"a: [", b"\xff"])
def test_a_damaged_or_missing_config_is_refused_by_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "train.yaml"
    assert "train.yaml is not there" in error_line(lambda: load_stage_config(TrainStageConfig, path))
    path.write_bytes(content)
    assert "train.yaml" in error_line(lambda: load_stage_config(TrainStageConfig, path))


def test_a_config_cannot_be_changed_once_it_is_read() -> None:
    with pytest.raises(ValueError, match="frozen"):
        FILES["report.yaml"].margin = 0.5  # type: ignore[attr-defined]
