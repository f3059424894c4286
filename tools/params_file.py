"""params.yaml with other values, its comments kept."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

PARAMS = Path("params.yaml")
Params = dict[str, Any]


def apply_settings(settings: dict[str, Any], params: Params) -> Params:
    """A copy of params.yaml's content with other values, by dotted key."""
    changed = deepcopy(params)
    for key, value in settings.items():
        *sections, last = key.split(".")
        part = changed
        for section in sections:
            part = part.setdefault(section, {})
        part[last] = value
    return changed


def change_params(path: Path, settings: dict[str, Any]) -> None:
    """Change values of a params.yaml, by dotted key; its comments stay."""
    yaml = YAML()
    yaml.width = 120
    yaml.dump(apply_settings(settings, yaml.load(path)), path)
