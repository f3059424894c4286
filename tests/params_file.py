"""params.yaml as the repository has it, and as tests change it."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "params.yaml").read_bytes()
ASGIVEN: dict[str, Any] = yaml.safe_load(TEXT)

# A whole pipeline in seconds, on glyphs; it learns a little.
TINY = {
    "data.source": "glyphs",
    "split.train": 40,
    "split.validation": 20,
    "split.test": 20,
    "train.iterations": 20,
    "train.meta_batch_size": 4,
    "train.validate_every": 10,
    "train.validation_tasks": 8,
    "evaluate.tasks": 40,
}


def changed(changes: dict[str, Any], params: dict[str, Any] = ASGIVEN) -> dict[str, Any]:
    """A copy of `params` with other values, by dotted key."""
    params = deepcopy(params)
    for key, value in changes.items():
        *sections, name = key.split(".")
        part = params
        for section in sections:
            part = part.setdefault(section, {})
        part[name] = value
    return params


def text(params: Any) -> bytes:
    return yaml.safe_dump(params, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
