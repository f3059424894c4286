"""The difference in accuracy between one algorithm and another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metaglot.evaluation.confidence_intervals import wider_interval
from metaglot.report.statistics.pairs import Pair

OPPOSITE = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class PairwiseResult:
    """A difference in accuracy with its 95% interval: over seeds or, with one seed, clustered by character.

    unit: what `seeds` counts, a seed of one split or a replicate, which draws the split and the test tasks too.
    over_characters: with several seeds, the interval of their mean clustered by test character.
    family: the number of comparisons that `p` is corrected for.
    """

    label: str
    other: str
    difference: float
    low: float
    high: float
    over_characters: tuple[float, float] | None
    seeds: int
    p: float | None
    family: int
    verdict: str
    within_margin: bool
    unit: str = "seed"


def pairwise_result(pair: Pair, algorithm: str) -> PairwiseResult:
    """The result of a pair as `algorithm` minus the other one."""
    test, by_seed = pair["over_seeds"]["accuracy"], pair["by_seed"]
    forward = pair["first"] == algorithm
    sign = 1 if forward else -1
    several = test["ci95"] is not None
    low, high = _signed(sign, test["ci95"] if several else shown_interval(by_seed[0]["accuracy"]))
    label, other = pair["labels"][::sign]
    verdict: str = pair["verdict"]
    return PairwiseResult(
        label=label,
        other=other,
        difference=sign * test["difference"],
        low=low,
        high=high,
        over_characters=_signed(sign, shown_interval(test)) if several and "ci95_by_character" in test else None,
        seeds=len(by_seed),
        p=test["p_holm"],
        family=pair.get("family", 1),
        verdict=verdict if forward else OPPOSITE.get(verdict, verdict),
        within_margin=pair["within_margin"],
        unit=pair.get("unit", "seed"),
    )


def _signed(sign: int, bounds: Sequence[float]) -> tuple[float, float]:
    low, high = sorted(sign * bound for bound in bounds)
    return low, high


def shown_interval(mean: dict[str, Any]) -> tuple[float, float]:
    """The interval to show for given networks."""
    return wider_interval(mean["ci95_by_task"] if "ci95_by_task" in mean else mean["ci95"], mean["ci95_by_character"])
