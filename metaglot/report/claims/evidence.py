"""What a claim may be judged by, and what a judgement is."""

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
        """Where the runs of MAML and FOMAML are not of the write-up's setting, iterations aside."""
        return list(dict.fromkeys(wrong for run in self.both for wrong in original_study.departures(run)))

    def more_seeds(self) -> str:
        """The command that makes these runs again with more seeds: what is trained is not trained again."""
        rotations = self.both[0].record.config.task.rotations
        seeds = list(dict.fromkeys(run.seed for run in self.both))
        return experiment(self.iterations(), more(seeds), rotations)


def more(seeds: list[int]) -> list[int]:
    """These seeds and as many new ones, five at least in all."""
    others = (seed % 2**32 for seed in count(seeds[0]) if seed % 2**32 not in seeds)
    return [*seeds, *islice(others, max(len(SEEDS) - len(seeds), len(seeds)))]


def experiment(iterations: int, seeds: tuple[int, ...] | list[int] = SEEDS, rotations: str = "class") -> str:
    """The command that redoes the write-up's comparison, whatever params.yaml holds."""
    settings = [f"{key}={value}" for key, value in original_study.SETTING.items()]
    settings += [f"task.rotations={rotations}", f"train.iterations={iterations}", "first_order=false"]
    settings += [f"'algorithms=[{','.join(CLAIMED)}]'", f"'seeds=[{','.join(map(str, seeds))}]'"]
    settings += [f"'~settings.{algorithm}'" for algorithm in CLAIMED]  # what would beat `train`
    return f"dvc exp run --temp {' '.join(f'-S {setting}' for setting in settings)}"
