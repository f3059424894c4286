"""What a claim may be judged by, and what a judgement is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

from metaglot.report import original_study
from metaglot.report.load_runs import LoadedRun
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.pairs import CLAIMED, Pair, correct_family, find_pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE, NOT_TESTED = "supported", "not supported", "inconclusive", "not tested"
SEEDS = (42, 43, 44, 45, 46)


@dataclass(frozen=True)
class Verdict:
    """What was measured, what it says of a claim, and the command that would say more."""

    measured: str
    verdict: str
    command: str | None = None


@dataclass(frozen=True)
class Evidence:
    """The runs, their comparison, and what `make bench` measured where it has been run."""

    report: ReportStageConfig
    runs: list[LoadedRun]
    pairs: list[Pair]
    bench: dict[str, Any] | None

    def of(self, first_order: bool) -> list[LoadedRun]:
        """The runs of MAML, or of its first-order approximation: the claims are about no other algorithm."""
        return [run for run in self.runs if run.algorithm in CLAIMED and run.result.first_order is first_order]

    @property
    def both(self) -> list[LoadedRun]:
        return [*self.of(True), *self.of(False)]

    def pairwise_result(self, algorithm: str) -> PairwiseResult | None:
        """Of MAML or FOMAML against the other, as the one comparison that the claims declare.

        None unless both ran, MAML with its second order, for as many iterations.
        """
        pair = find_pair(self.pairs, *CLAIMED)
        maml, fomaml = (self.of(first_order) for first_order in (False, True))
        if pair is None or not maml or not fomaml or maml[0].iterations != fomaml[0].iterations:
            return None
        (alone,) = correct_family([pair], self.report.margin)
        return pairwise_result(alone, algorithm)

    def iterations(self) -> int:
        """For how long MAML and FOMAML were trained, at most."""
        return max(run.iterations for run in self.both)

    def departures(self) -> list[str]:
        """Where the runs of MAML and FOMAML are not of the original study's setting, iterations aside."""
        return list(dict.fromkeys(wrong for run in self.both for wrong in original_study.departures(run)))

    def more_seeds(self) -> str:
        """The command that makes these runs again with more seeds: what is trained is not trained again."""
        rotations = self.both[0].record.config.task.rotations
        seeds = list(dict.fromkeys(run.seed for run in self.both))
        return self.experiment(self.iterations(), more(seeds), rotations)

    def experiment(self, iterations: int, seeds: Sequence[int] = SEEDS, rotations: str = "class") -> str:
        """The command that repeats the original study's comparison: what differs from params.yaml as it stands."""
        wanted = original_study.SETTING | {"task.rotations": rotations, "train.iterations": iterations}
        wanted |= {"first_order": False, "algorithms": list(CLAIMED), "seeds": list(seeds)}
        given = self.report.params
        changes = [_written(key, value) for key, value in wanted.items() if given.get(key) != value]
        blocks = [f"settings.{algorithm}" for algorithm in CLAIMED]  # what would override `train`
        changes += [f"'~{block}'" for block in blocks if any(key.startswith(f"{block}.") for key in given)]
        return " ".join(["dvc exp run --temp", *(f"-S {change}" for change in changes)])


def _written(key: str, value: Any) -> str:
    """A value as DVC's -S takes it."""
    if isinstance(value, list):
        return f"'{key}=[{','.join(map(str, value))}]'"
    return f"{key}={str(value).lower() if isinstance(value, bool) else value}"


def more(seeds: list[int]) -> list[int]:
    """These seeds and as many new ones, five at least in all."""
    others = (seed % 2**32 for seed in count(seeds[0]) if seed % 2**32 not in seeds)
    return [*seeds, *islice(others, max(len(SEEDS) - len(seeds), len(seeds)))]
