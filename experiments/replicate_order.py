"""The comparisons of replicates with algorithms and pairs in one order, whatever the order in their params."""

from itertools import combinations
from typing import Any

from metaglot.core.common.errors import UserError
from metaglot.evaluation.metrics import MEASURES
from metaglot.report.statistics.pairs import Pair, find_pair

Comparison = dict[str, Any]


def in_one_order(comparisons: dict[str, Comparison]) -> list[Comparison]:
    """By part: in the order of the first. Raises UserError if one has other algorithms."""
    (part, first), *_ = comparisons.items()
    names = [row["algorithm"] for row in first["algorithms"]]
    for other, comparison in comparisons.items():
        theirs = [row["algorithm"] for row in comparison["algorithms"]]
        if {*theirs} != {*names}:
            described = f"replicate {other} has {', '.join(theirs)}, and replicate {part} has {', '.join(names)}"
            raise UserError(f"{described}: record both again with the same algorithms")
    return [_reorder(comparison, names) for comparison in comparisons.values()]


def _reorder(comparison: Comparison, names: list[str]) -> Comparison:
    rows = {row["algorithm"]: row for row in comparison["algorithms"]}
    found = [(find_pair(comparison["pairs"], *both), both[0]) for both in combinations(names, 2)]
    pairs = [first_minus_second(pair, first) for pair, first in found if pair]
    return comparison | {"algorithms": [rows[name] for name in names], "pairs": pairs}


def first_minus_second(pair: Pair, first: str) -> Pair:
    """A pair whose differences, by seed, are this algorithm's score minus the other's."""
    if pair["first"] == first:
        return pair
    turned = {"first": first, "second": pair["first"], "labels": pair["labels"][::-1]}
    return pair | turned | {"by_seed": [_negate(seed) for seed in pair["by_seed"]]}


def _negate(seed: dict[str, Any]) -> dict[str, Any]:
    """The differences of one seed with the other sign, and their intervals."""
    measured = {measure: seed[measure] for measure in MEASURES if measure in seed}
    return seed | {
        measure: {key: -value if key == "difference" else [-value[1], -value[0]] for key, value in differences.items()}
        for measure, differences in measured.items()
    }
