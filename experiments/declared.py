"""The experiments in experiments.yaml by name, and the settings of their parts."""

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from experiments.experiment import Experiment
from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError, malformed

TABLE = Path(__file__).with_name("experiments.yaml")
FINDINGS = Path("docs/findings")  # their committed results


def load_experiments(table: Path | None = None) -> dict[str, Experiment]:
    """Every experiment, by name, as it was declared when first asked: a run of hours is recorded as it began."""
    return read_table(table or TABLE)


@cache
def read_table(table: Path) -> dict[str, Experiment]:
    return {name: _experiment(table, name, declared) for name, declared in read_yaml(table).items()}


def _experiment(table: Path, name: str, declared: dict[str, Any]) -> Experiment:
    try:
        return Experiment.model_validate(declared, strict=False)
    except ValidationError as mistakes:
        raise malformed(table, mistakes, "", name) from None


def find_experiment(name: str) -> Experiment:
    """An experiment by its name or by that of a part, such as `second-order-dial/0.05`."""
    whole, known = name.partition("/")[0], load_experiments()
    if whole not in known:
        raise UserError(f"{whole} is not an experiment: {TABLE.name} has {', '.join(known)}")
    return known[whole]


def find_settings(name: str) -> dict[str, Any]:
    """The changes to params.yaml of an experiment, or of a part of one."""
    whole, slash, part = name.partition("/")
    experiment = find_experiment(name)
    if not slash:
        return experiment.settings
    if part not in experiment.parts():
        raise UserError(f"{name} is not a part of {whole}: it has {', '.join(experiment.parts()) or 'none'}")
    return experiment.parts()[part]


def parts_of(name: str) -> list[str]:
    """The names of an experiment's parts; the name alone if it has none, or is a part."""
    whole, _, part = name.partition("/")
    find_settings(name)
    parts = find_experiment(name).parts()
    return [name] if part or not parts else [f"{whole}/{each}" for each in parts]
