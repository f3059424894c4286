"""The params of an experiment: params.yaml with other values, and how two sets of params differ."""

from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from metaglot.core.common.dotted_keys import flatten

PARAMS = Path("params.yaml")
NOT_COMPARED = "run"  # the device and threads, which every record contains
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


def list_differences(expected: Params, actual: Params, settings: Iterable[str] = ()) -> list[str]:
    """The differences between two sets of params as text, by dotted key.

    The order of algorithms, `run`, and the settings of algorithms that do not run are ignored. So is a key that the
    actual params lack, unless it is among `settings`: it is newer than they are, and its default is what they did.
    """
    algorithms = expected["algorithms"]
    before, after = (dict(flatten(_comparable(params, algorithms))) for params in (expected, actual))
    keys = [key for key in dict.fromkeys([*before, *after]) if key in after or key in settings]
    return [f"{key} {after.get(key)}, not {before.get(key)}" for key in keys if before.get(key) != after.get(key)]


def _comparable(params: Params, algorithms: list[str]) -> Params:
    settings = {name: block for name, block in (params.get("settings") or {}).items() if name in algorithms}
    compared = {key: value for key, value in params.items() if key != NOT_COMPARED}
    return compared | {"settings": settings, "algorithms": sorted(params["algorithms"])}
