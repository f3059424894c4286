"""What experiments.yaml declares of an experiment, and the parts that it is run and recorded in."""

from itertools import product
from typing import Any, Self

from pydantic import model_validator

from metaglot.core.common.stage_configs import StrictModel

Grid = dict[str, dict[str, list[Any]]]


class Varied(StrictModel):
    """One key of params.yaml and its values, each compared with `reference`. symbol: the key's name in tables."""

    key: str
    symbol: str
    values: list[int | float]
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
    grid: Grid = {}  # by algorithm: its keys and their values; every combination is tried
    wider_grid: Grid = {}  # tried after the grid: the combinations that it lacks
    tuned_by: str | None = None  # an experiment with a grid, whose chosen settings are this one's

    @model_validator(mode="after")
    def has_one_design(self) -> Self:
        if self.wider_grid and self.wider_grid.keys() != self.grid.keys():
            raise ValueError("wider_grid takes the same algorithms as grid")
        if sum(map(bool, (self.vary, self.replicates, self.crossed, self.grid))) > 1:
            raise ValueError("vary, replicates, crossed and grid exclude each other")
        if len({len(candidates) for candidates in self.candidates().values()}) > 1:
            raise ValueError("every algorithm of a grid has the same number of candidates")
        return self

    @property
    def is_one_comparison(self) -> bool:
        """Whether its record is a comparison of algorithms, also over replicates."""
        return not (self.vary or self.crossed or self.grid)

    def candidates(self) -> dict[str, list[dict[str, Any]]]:
        """By algorithm: the settings that are tried."""
        tried: dict[str, list[dict[str, Any]]] = {algorithm: [] for algorithm in self.grid}
        for grid in (self.grid, self.wider_grid):
            for algorithm, keys in grid.items():
                every = [dict(zip(keys, values, strict=True)) for values in product(*keys.values())]
                tried[algorithm] += [settings for settings in every if settings not in tried[algorithm]]
        return tried

    def parts(self) -> dict[str, dict[str, Any]]:
        """The settings of each part by its name; none if the experiment is run as a whole."""
        if self.grid:
            return {
                str(n): self.settings | self._candidate(n) for n in range(len(next(iter(self.candidates().values()))))
            }
        if self.crossed:
            both = product(self.crossed.splits, self.crossed.tasks)
            return {f"{s}-{t}": self.settings | {"split.seed": s, "evaluate.seed": t} for s, t in both}
        if self.replicates:
            return {str(number): self.settings | replicate_settings(number) for number in self.replicates}
        if self.vary is None:
            return {}
        parts = {f"{value:g}": self.settings | {self.vary.key: value} for value in self.vary.values}
        return parts | {algorithm: self.settings | {"algorithms": [algorithm]} for algorithm in self.also}

    def _candidate(self, number: int) -> dict[str, Any]:
        """The settings of the candidate with that number of every algorithm: they run together."""
        tried = {name: candidates[number] for name, candidates in self.candidates().items()}
        values = {f"settings.{name}.{key}": value for name, block in tried.items() for key, value in block.items()}
        return {"algorithms": list(tried)} | values


def replicate_settings(number: int) -> dict[str, Any]:
    return {"split.seed": number, "seeds": [number], "evaluate.seed": number}
