"""params.yaml as it is committed, and as tests change it."""

import subprocess
from pathlib import Path
from typing import Any

import yaml

from tools.params_file import apply_settings

ROOT = Path(__file__).parents[1]


def _text() -> bytes:
    """The committed params.yaml: no test may depend on the values that were last tried out.

    Without git, and while the file has other keys than the committed one, it is params.yaml as it lies there.
    """
    here = (ROOT / "params.yaml").read_bytes()
    committed = subprocess.run(["git", "show", "HEAD:params.yaml"], cwd=ROOT, capture_output=True).stdout
    return committed if committed and _keys(committed) == _keys(here) else here


def _keys(content: bytes) -> set[tuple[str, str]]:
    """The keys of params.yaml and of its sections; what `settings` has for an algorithm is a value."""
    sections = yaml.safe_load(content).items()
    return {(name, key) for name, section in sections for key in (section if isinstance(section, dict) else [""])}


TEXT = _text()
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
    return apply_settings(changes, params)


def text(params: Any) -> bytes:
    return yaml.safe_dump(params, allow_unicode=True, sort_keys=False).encode("utf-8", "surrogatepass")
