"""The experiments in experiments.yaml and their params."""

from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.dotted_keys import flatten
from metaglot.core.common.errors import UserError, malformed
from metaglot.core.common.stage_configs import StrictModel

TABLE = Path(__file__).with_name("experiments.yaml")
PARAMS = Path("params.yaml")
NOT_COMPARED = "run"  # the device and threads, which every record contains
Params = dict[str, Any]


class Experiment(StrictModel):
    """A question, the changes to params.yaml that answer it, and the numbers to compare with."""

    title: str
    question: str
    settings: dict[str, Any]
    minutes: int | None = None  # on two cores, if known
    compare_with: str | None = None  # another experiment
    cell: str | None = None  # of the published results
    published: dict[str, tuple[str, str]] = {}  # by algorithm: method and network


def load_experiments(table: Path = TABLE) -> dict[str, Experiment]:
    """Every declared experiment, by name."""
    return {name: _experiment(table, name, declared) for name, declared in read_yaml(table).items()}


def _experiment(table: Path, name: str, declared: Params) -> Experiment:
    try:
        return Experiment.model_validate(declared, strict=False)
    except ValidationError as mistakes:
        raise malformed(table, mistakes, "", name) from None


def find_experiment(name: str) -> Experiment:
    known = load_experiments()
    if name not in known:
        raise UserError(f"{name} is not an experiment: {TABLE.name} has {', '.join(known)}")
    return known[name]


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


def list_differences(expected: Params, actual: Params) -> list[str]:
    """The differences between two sets of params as text, by dotted key.

    The order of algorithms, `run`, and the settings of algorithms that do not run are ignored.
    """
    algorithms = expected["algorithms"]
    before, after = (dict(flatten(_comparable(params, algorithms))) for params in (expected, actual))
    keys = dict.fromkeys([*before, *after])
    return [f"{key} {after.get(key)}, not {before.get(key)}" for key in keys if before.get(key) != after.get(key)]


def _comparable(params: Params, algorithms: list[str]) -> Params:
    settings = {name: block for name, block in (params.get("settings") or {}).items() if name in algorithms}
    compared = {key: value for key, value in params.items() if key != NOT_COMPARED}
    return compared | {"settings": settings, "algorithms": sorted(params["algorithms"])}
