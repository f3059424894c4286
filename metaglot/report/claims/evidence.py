"""The evidence for a claim, and the verdict on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, islice
from typing import Any

from metaglot.report import original_study
from metaglot.report.load_runs import LoadedRun
from metaglot.report.speed_benchmark import SpeedBenchmark
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.pairs import CLAIMED, Pair, correct_family, find_pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result

SEEDS = (42, 43, 44, 45, 46)


class Decision(StrEnum):
    SUPPORTED = "supported"
    NOT_SUPPORTED = "not supported"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"


@dataclass(frozen=True)
class Verdict:
    """What was measured, what follows for the claim, and a command that would tell more."""

    measured: str
    verdict: Decision
    command: str | None = None


@dataclass(frozen=True)
class Evidence:
    """The runs, their comparison, and what `make bench` measured if it was run."""

    report: ReportStageConfig
    runs: list[LoadedRun]
    pairs: list[Pair]
    bench: SpeedBenchmark | None

    def of(self, first_order: bool) -> list[LoadedRun]:
        """The runs of MAML, or of its first-order approximation: no claim is about another algorithm."""
        return [run for run in self.runs if run.algorithm in CLAIMED and run.result.first_order is first_order]

    @property
    def both(self) -> list[LoadedRun]:
        return [*self.of(True), *self.of(False)]

    def pairwise_result(self, algorithm: str) -> PairwiseResult | None:
        """MAML or FOMAML against the other one: the claims declare this one comparison, without a correction.

        None unless both ran, MAML with its second order, for as many iterations.
        """
        pair = find_pair(self.pairs, *CLAIMED)
        maml, fomaml = (self.of(first_order) for first_order in (False, True))
        if pair is None or not maml or not fomaml or maml[0].iterations != fomaml[0].iterations:
            return None
        (uncorrected,) = correct_family([pair], self.report.margin)
        return pairwise_result(uncorrected, algorithm)

    def iterations(self) -> int:
        """The most training iterations of a run of MAML or FOMAML."""
        return max(run.iterations for run in self.both)

    def departures(self) -> list[str]:
        """The differences of the runs of MAML and FOMAML from the original study's setting, except iterations."""
        return list(dict.fromkeys(wrong for run in self.both for wrong in original_study.departures(run)))

    def more_seeds(self) -> str:
        """The command that adds seeds to these runs; finished trainings do not run again."""
        rotations = self.both[0].record.config.task.rotations
        seeds = list(dict.fromkeys(run.seed for run in self.both))
        return self.experiment(self.iterations(), add_seeds(seeds), rotations)

    def experiment(self, iterations: int, seeds: Sequence[int] = SEEDS, rotations: str = "class") -> str:
        """The command that repeats the original study's comparison; it names only what differs from params.yaml."""
        wanted = original_study.SETTING | {"task.rotations": rotations, "train.iterations": iterations}
        wanted |= {"data.path": "data/raw", "first_order": False, "algorithms": list(CLAIMED), "seeds": list(seeds)}
        params = self.report.params
        overridden = {key for key, value in params.items() if wanted.get(key) != value}
        changes = [
            _override(key, value)
            for key, value in wanted.items()
            if params.get(key) != value and not key.startswith("settings.")
        ]
        blocks = [f"settings.{algorithm}" for algorithm in CLAIMED]  # these would override `train`
        changes += [f"'~{block}'" for block in blocks if any(key.startswith(f"{block}.") for key in overridden)]
        return " ".join(["dvc exp run --temp", *(f"-S {change}" for change in changes)])


def in_another_setting(departures: list[str]) -> str:
    return f"In a setting other than the claim's ({'; '.join(departures)})"


def _override(key: str, value: Any) -> str:
    """An argument of DVC's -S."""
    if isinstance(value, list):
        return f"'{key}=[{','.join(map(str, value))}]'"
    return f"{key}={str(value).lower() if isinstance(value, bool) else value}"


def add_seeds(seeds: list[int]) -> list[int]:
    """These seeds and as many new ones, at least five in total."""
    others = (seed % 2**32 for seed in count(seeds[0]) if seed % 2**32 not in seeds)
    return [*seeds, *islice(others, max(len(SEEDS) - len(seeds), len(seeds)))]
