"""One algorithm against another, in accuracy, told from its own side."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metaglot.report.statistics.pairs import Pair, find_pair

OPPOSITE = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class PairwiseResult:
    """A difference in accuracy with its 95% interval: over seeds, or over the characters of the one seed.

    over_characters: the other interval of several seeds, of their mean networks over the characters of the tests.
    family: how many comparisons `p` is corrected over.
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


def pairwise_result(pair: Pair, algorithm: str) -> PairwiseResult:
    """Where an algorithm of a pair stands against the pair's other one."""
    test, by_seed = pair["over_seeds"]["accuracy"], pair["by_seed"]
    forward = pair["first"] == algorithm
    sign = 1 if forward else -1
    several = test["ci95"] is not None
    low, high = _signed(sign, test["ci95"] if several else wider_interval(by_seed[0]["accuracy"]))
    label, other = pair["labels"][::sign]
    verdict: str = pair["verdict"]
    return PairwiseResult(
        label=label,
        other=other,
        difference=sign * test["difference"],
        low=low,
        high=high,
        over_characters=_signed(sign, wider_interval(test)) if several and "ci95_by_character" in test else None,
        seeds=len(by_seed),
        p=test["p_holm"],
        family=pair.get("family", 1),
        verdict=verdict if forward else OPPOSITE.get(verdict, verdict),
        within_margin=pair["within_margin"],
    )


def _signed(sign: int, bounds: Sequence[float]) -> tuple[float, float]:
    low, high = sorted(sign * bound for bound in bounds)
    return low, high


def wider_interval(found: dict[str, Any]) -> tuple[float, float]:
    """What is shown for given networks, of a score or a difference: by character, but no narrower than if tasks were
    independent.

    With few characters the variance by character is itself so uncertain that it can come out near 0, which sharing
    characters cannot bring about. What is recorded stays as it was computed.
    """
    by_task = found["ci95_by_task"] if "ci95_by_task" in found else found["ci95"]
    lows, highs = zip(by_task, found["ci95_by_character"], strict=True)
    return min(lows), max(highs)


def find(pairs: list[Pair], algorithm: str, other: str) -> PairwiseResult | None:
    """The standing of one algorithm against another, if they were compared."""
    pair = find_pair(pairs, algorithm, other)
    return pairwise_result(pair, algorithm) if pair else None
