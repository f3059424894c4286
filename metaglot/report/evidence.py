"""What a claim may be judged by, and what a judgement is."""

from dataclasses import dataclass
from typing import Any

from metaglot.config import ReportConfig
from metaglot.report import writeup
from metaglot.report.comparison import Pair
from metaglot.report.runs import Run
from metaglot.report.standing import Standing, find

SUPPORTED, NOT_SUPPORTED, INCONCLUSIVE, NOT_TESTED = "supported", "not supported", "inconclusive", "not tested"
SEEDS = "-S 'seeds=[42,43,44,45,46]'"


@dataclass(frozen=True)
class Finding:
    """What was measured, what it says of a claim, and the command that would say more."""

    measured: str
    verdict: str
    command: str | None = None


@dataclass(frozen=True)
class Evidence:
    """The runs, their comparison, and what `make bench` measured where it has been run."""

    report: ReportConfig
    runs: list[Run]
    pairs: list[Pair]
    bench: dict[str, Any] | None

    def of(self, first_order: bool) -> list[Run]:
        """The runs of MAML, or of its first-order approximation."""
        family = [run for run in self.runs if run.algorithm in ("maml", "fomaml")]
        return [run for run in family if run.result.first_order is first_order]

    def standing(self, algorithm: str, other: str) -> Standing | None:
        """Of MAML and FOMAML; None unless both ran, MAML with its second order, for as many iterations."""
        maml, fomaml = (self.of(first_order) for first_order in (False, True))
        if not maml or not fomaml or maml[0].iterations != fomaml[0].iterations:
            return None
        return find(self.pairs, algorithm, other)

    def iterations(self) -> int:
        """For how long the runs were trained, at most."""
        return max(run.iterations for run in self.runs)


def experiment(iterations: int, seeds: str = SEEDS) -> str:
    """The command that redoes the write-up's comparison, whatever params.yaml holds."""
    settings = (
        "data.source=omniglot",
        "'algorithms=[maml,fomaml]'",
        "first_order=false",
        f"model={writeup.MODEL}",
        f"task.ways={writeup.WAYS}",
        f"task.shots={writeup.SHOTS}",
        f"train.iterations={iterations}",
    )
    return f"dvc exp run --temp {' '.join(f'-S {setting}' for setting in settings)} {seeds}"
