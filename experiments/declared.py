"""The experiments in experiments.yaml and their params."""

from itertools import product
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator

from metaglot.core.common.atomic_files import read_yaml
from metaglot.core.common.errors import UserError, malformed
from metaglot.core.common.stage_configs import StrictModel

TABLE = Path(__file__).with_name("experiments.yaml")


class Varied(StrictModel):
    """One key of params.yaml and its values, each compared with `reference`. symbol: the key's name in tables."""

    key: str
    symbol: str
    values: list[float]
    reference: float


class Crossed(StrictModel):
    """Every split with every draw of test tasks, for the shares of variance."""

    splits: list[int]
    tasks: list[int]


class Experiment(StrictModel):
    """A question, the changes to params.yaml that answer it, and the numbers to compare with."""

    title: str
    question: str
    settings: dict[str, Any]
    minutes: int | None = None  # on two cores, if known
    compare_with: str | None = None  # another experiment
    cell: str | None = None  # of the published results
    published: dict[str, tuple[str, str]] = {}  # by algorithm: method and network
    vary: Varied | None = None
    also: list[str] = []  # other algorithms in the setting of the varied one

    replicates: list[int] = []  # each draws its split, initialisation, training tasks and test tasks from its number
    crossed: Crossed | None = None

    @model_validator(mode="after")
    def has_one_design(self) -> Self:
        if sum(map(bool, (self.vary, self.replicates, self.crossed))) > 1:
            raise ValueError("vary, replicates and crossed exclude each other")
        return self

    def parts(self) -> dict[str, dict[str, Any]]:
        """The settings of each part by its name; none if the experiment is run as a whole."""
        if self.crossed:
            both = product(self.crossed.splits, self.crossed.tasks)
            return {f"{s}-{t}": self.settings | {"split.seed": s, "evaluate.seed": t} for s, t in both}
        if self.replicates:
            return {str(number): self.settings | replicate_settings(number) for number in self.replicates}
        if self.vary is None:
            return {}
        parts = {f"{value:g}": self.settings | {self.vary.key: value} for value in self.vary.values}
        return parts | {algorithm: self.settings | {"algorithms": [algorithm]} for algorithm in self.also}


def replicate_settings(number: int) -> dict[str, Any]:
    return {"split.seed": number, "seeds": [number], "evaluate.seed": number}


def load_experiments(table: Path | None = None) -> dict[str, Experiment]:
    """Every declared experiment, by name."""
    table = table or TABLE
    return {name: _experiment(table, name, declared) for name, declared in read_yaml(table).items()}


def _experiment(table: Path, name: str, declared: dict[str, Any]) -> Experiment:
    try:
        return Experiment.model_validate(declared, strict=False)
    except ValidationError as mistakes:
        raise malformed(table, mistakes, "", name) from None


def find_experiment(name: str) -> Experiment:
    known = load_experiments()
    if name not in known:
        raise UserError(f"{name} is not an experiment: {TABLE.name} has {', '.join(known)}")
    return known[name]


def find_settings(name: str) -> dict[str, Any]:
    """The changes to params.yaml of an experiment, or of a part of one: `second-order-dial/0.05`."""
    whole, _, part = name.partition("/")
    experiment = find_experiment(whole)
    if not part:
        return experiment.settings
    if part not in experiment.parts():
        raise UserError(f"{name} is not a part of {whole}: it has {', '.join(experiment.parts()) or 'none'}")
    return experiment.parts()[part]


def parts_of(name: str) -> list[str]:
    """The names of an experiment's parts; the name alone if it has none, or is a part."""
    whole, _, part = name.partition("/")
    find_settings(name)
    parts = find_experiment(whole).parts()
    return [name] if part or not parts else [f"{whole}/{each}" for each in parts]
