"""What is committed of an experiment under docs/findings/, or that it was not run."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.declared import Experiment, experiments
from metaglot.core.common.atomic_files import read_json, read_text
from metaglot.report import formatting
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result

FINDINGS = Path("docs/findings")


@dataclass(frozen=True)
class Recorded:
    """An experiment and the folder of its numbers, which is not there before it was run."""

    name: str
    experiment: Experiment
    folder: Path

    @property
    def ran(self) -> bool:
        return self.folder.is_dir()

    @property
    def command(self) -> str:
        return f"python -m experiments run {self.name}"

    @property
    def time(self) -> str:
        """What to expect, in words."""
        minutes = self.experiment.minutes
        return f"about {minutes} minutes on two cores" if minutes else "its time was not measured"

    @cached_property
    def comparison(self) -> dict[str, Any]:
        return read_json(self.folder / "comparison.json")

    @cached_property
    def curves(self) -> list[dict[str, str]]:
        return list(csv.DictReader(read_text(self.folder / "curves.csv").splitlines()))

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        return [read_json(path) for path in sorted((self.folder / "runs").glob("*.json"))]

    @cached_property
    def about(self) -> dict[str, Any]:
        """Seeds `recorded` and `asked` for; `code`, the commit of this project that computed them, or null."""
        return read_json(self.folder / "about.json")

    @property
    def margin(self) -> float:
        return self.comparison["margin"]

    def partial(self) -> str | None:
        """In words, which seeds are recorded where not all are."""
        seeds = self.about
        if set(seeds["recorded"]) == set(seeds["asked"]):
            return None
        named = formatting.listed([str(seed) for seed in seeds["recorded"]])
        return f"{len(seeds['recorded'])} of {formatting.several(len(seeds['asked']), 'seed')}: {named}"

    def standings(self) -> list[PairwiseResult]:
        return [pairwise_result(pair, pair["first"]) for pair in self.comparison["pairs"]]


def recorded(findings: Path = FINDINGS) -> dict[str, Recorded]:
    """Every experiment, by name."""
    return {name: Recorded(name, experiment, findings / name) for name, experiment in experiments().items()}
