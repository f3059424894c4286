"""One algorithm against another, in accuracy, told from its own side."""

from dataclasses import dataclass
from typing import Any

from metaglot.report.comparison import Pair

OPPOSITE = {"better": "worse", "worse": "better"}


@dataclass(frozen=True)
class Standing:
    """A difference in accuracy with its 95% interval: over seeds, or over the characters of the one seed."""

    label: str
    other: str
    difference: float
    low: float
    high: float
    seeds: int
    p: float | None
    verdict: str
    within_margin: bool


def standing(pair: Pair, algorithm: str) -> Standing:
    """Where an algorithm of a pair stands against the pair's other one."""
    test, by_seed = pair["over_seeds"]["accuracy"], pair["by_seed"]
    bounds = test["ci95"] or of_networks(by_seed[0]["accuracy"])
    forward = pair["first"] == algorithm
    sign = 1 if forward else -1
    low, high = sorted(sign * bound for bound in bounds)
    label, other = pair["labels"][::sign]
    verdict: str = pair["verdict"]
    return Standing(
        label=label,
        other=other,
        difference=sign * test["difference"],
        low=low,
        high=high,
        seeds=len(by_seed),
        p=test["p_holm"],
        verdict=verdict if forward else OPPOSITE.get(verdict, verdict),
        within_margin=pair["within_margin"],
    )


def of_networks(difference: dict[str, Any]) -> tuple[float, float]:
    """The interval of one seed's difference: by character, but no narrower than if tasks were independent.

    With few characters the variance by character is itself so uncertain that it can come out near 0, which sharing
    characters cannot bring about.
    """
    lows, highs = zip(difference["ci95"], difference["ci95_by_character"], strict=True)
    return min(lows), max(highs)


def find(pairs: list[Pair], algorithm: str, other: str) -> Standing | None:
    """The standing of one algorithm against another, if they were compared."""
    for pair in pairs:
        if {pair["first"], pair["second"]} == {algorithm, other}:
            return standing(pair, algorithm)
    return None
