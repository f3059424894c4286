"""The committed results of an experiment, under docs/findings/."""

import csv
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments.candidates import load_candidates
from experiments.declared import FINDINGS, load_experiments
from experiments.experiment import Experiment
from experiments.replicates import merge_replicates
from metaglot.core.common.atomic_files import read_json, read_text, read_yaml
from metaglot.report import formatting
from metaglot.report.headline import answer


@dataclass(frozen=True)
class ExperimentRecord:
    """An experiment, or a part of one, and the folder of its results, which exists if it was run."""

    name: str
    experiment: Experiment
    folder: Path
    part: str | None = None

    @property
    def is_replicated(self) -> bool:
        """Whether its results are those of its parts, the replicates."""
        return bool(self.experiment.replicates) and self.part is None

    @property
    def unit(self) -> str:
        return "replicate" if self.is_replicated else "seed"

    @property
    def has_results(self) -> bool:
        return self.folder.is_dir()

    @property
    def command(self) -> str:
        return f"python -m experiments {'tune' if self.experiment.grid else 'run'} {self.name}"

    @property
    def expected_time(self) -> str:
        minutes = self.experiment.minutes
        return f"about {minutes} minutes on two cores" if minutes else "time not measured"

    @cached_property
    def comparison(self) -> dict[str, Any]:
        """comparison.json, or that of all replicates; its answer is worded as in today's report."""
        if self.is_replicated:
            recorded = merge_replicates({name: part.comparison for name, part in recorded_parts(self).items()})
        else:
            recorded = read_json(self.folder / "comparison.json")
        return recorded | {"answer": answer(recorded["algorithms"], recorded["pairs"], recorded["margin"])}

    @cached_property
    def curves(self) -> list[dict[str, str]]:
        return list(csv.DictReader(read_text(self.folder / "curves.csv").splitlines()))

    @cached_property
    def alignment(self) -> list[dict[str, str]]:
        return list(csv.DictReader(read_text(self.folder / "alignment.csv").splitlines()))

    @cached_property
    def records(self) -> list[dict[str, Any]]:
        return [read_json(path) for path in sorted(self.folder.rglob("runs/*.json"))]

    @cached_property
    def results(self) -> list[dict[str, Any]]:
        return [read_json(path) for path in sorted(self.folder.rglob("results/*.json"))]

    @cached_property
    def about(self) -> dict[str, Any]:
        """Seeds or replicates, `recorded` and `asked` for. Without replicates also `code`: its commit, or null."""
        if not self.is_replicated:
            return read_json(self.folder / "about.json")
        return {"recorded": [int(part) for part in recorded_parts(self)], "asked": self.experiment.replicates}

    @property
    def codes(self) -> list[str | None]:
        """The commits that computed it or its parts; None for code that is in no commit."""
        return [record.about["code"] for record in [*recorded_parts(self).values()] or [self]]

    @property
    def split(self) -> dict[str, Any]:
        """The section `split` of its params, or of its first part's."""
        recorded = [*recorded_parts(self).values(), self]
        return read_yaml(recorded[0].folder / "params.yaml")["split"]

    @property
    def margin(self) -> float:
        return self.comparison["margin"]

    def runs_so_far(self) -> str | None:
        """None if all runs are recorded; else, as text, which seeds or replicates are, or how many runs."""
        if not self.experiment.is_one_comparison:
            recorded, declared, runs = _count_runs(self)
            return None if recorded == declared else f"{recorded} of {declared} {runs}"
        seeds = self.about
        if set(seeds["recorded"]) == set(seeds["asked"]):
            return None
        named = formatting.listed([str(seed) for seed in seeds["recorded"]])
        return f"{len(seeds['recorded'])} of {formatting.several(len(seeds['asked']), self.unit)}: {named}"


def recorded_parts(record: ExperimentRecord) -> dict[str, ExperimentRecord]:
    """The parts of an experiment that were recorded, by name."""
    parts = {part: replace(record, folder=record.folder / part, part=part) for part in record.experiment.parts()}
    return {part: loaded for part, loaded in parts.items() if loaded.has_results}


def _count_runs(record: ExperimentRecord) -> tuple[int, int, str]:
    """How many are recorded and declared, and what they are. A part may lack seeds."""
    experiment = record.experiment
    if experiment.grid:
        scored, tried = load_candidates(record.name, record.folder.parent), experiment.candidates().values()
        return len(scored), sum(map(len, tried)), "candidates"
    recorded = sum(len(part.about["recorded"]) for part in recorded_parts(record).values())
    runs = "runs" if experiment.vary else "combinations of split, seed and test tasks"
    return recorded, len(experiment.parts()) * len(experiment.settings["seeds"]), runs


def load_records(findings: Path = FINDINGS) -> dict[str, ExperimentRecord]:
    """Every experiment, by name."""
    return {
        name: ExperimentRecord(name, experiment, findings / name) for name, experiment in load_experiments().items()
    }
