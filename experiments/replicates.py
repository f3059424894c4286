"""The comparison over replicates, from the comparison of each: pairs on the same tasks within a replicate.

A replicate draws its split, initialisation, training tasks and test tasks. So the t interval over replicates is about
new characters too, and the interval over seeds of one split is not.
"""

from collections.abc import Sequence

import numpy as np

from experiments.replicate_order import Comparison, in_one_order
from metaglot.evaluation.confidence_intervals import t_interval
from metaglot.evaluation.metrics import MEASURES
from metaglot.report.rows import training_times
from metaglot.report.statistics.baselines import against_baselines
from metaglot.report.statistics.pairs import Pair, correct_family, paired_tests

SHARED = ("question", "dataset", "model", "task", "margin")


def merge_replicates(by_part: dict[str, Comparison]) -> Comparison:
    """One comparison of all replicates, in the form of comparison.json; `design` says that it is over replicates."""
    comparisons = in_one_order(by_part)
    first = comparisons[0]
    same_pairs = zip(*(comparison["pairs"] for comparison in comparisons), strict=True)
    same_rows = zip(*(comparison["algorithms"] for comparison in comparisons), strict=True)
    pairs = correct_family([_merge_pair(each, first["margin"]) for each in same_pairs], first["margin"])
    shared = {key: first[key] for key in SHARED}
    runs = [run for comparison in comparisons for run in comparison["runs"]]
    return shared | {
        "design": "replicates",
        "split": {"kind": first["split"]["kind"], "sha256": _joined(comparisons, "split", "sha256")},
        "evaluate": {**first["evaluate"], "tasks_sha256": _joined(comparisons, "evaluate", "tasks_sha256")},
        "algorithms": [_merge_row(rows, runs) for rows in same_rows],
        "runs": runs,
        "pairs": pairs,
        "baselines": against_baselines(pairs, first["margin"]),
        "claims": [],
    }


def _merge_pair(pairs: Sequence[Pair], margin: float) -> Pair:
    """A pair over replicates."""
    by_seed = [difference for pair in pairs for difference in pair["by_seed"]]
    identity = {key: pairs[0][key] for key in ("first", "second", "labels")}
    return identity | {"unit": "replicate", "by_seed": by_seed, "over_seeds": paired_tests(by_seed, margin)}


def _merge_row(rows: Sequence[Comparison], runs: list[Comparison]) -> Comparison:
    """The row of an algorithm: means over replicates with their t intervals, and the times of its runs."""
    measures = {measure: _over_replicates([row[measure] for row in rows]) for measure in MEASURES if measure in rows[0]}
    changes = {
        "seeds": [seed for row in rows for seed in row["seeds"]],
        "times": training_times([run for run in runs if run["algorithm"] == rows[0]["algorithm"]]),
        "writeup": None,
    }
    permutations = _label_permutations(rows) if "label_permutations" in rows[0] else {}
    return rows[0] | measures | permutations | changes


def _label_permutations(rows: Sequence[Comparison]) -> Comparison:
    """The spread over permutations of a task's labels; nothing if a replicate has none."""
    permuted = [row.get("label_permutations") for row in rows]
    if not all(permuted):
        return {"label_permutations": None}
    spread = _over_replicates([each["accuracy_std"] for each in permuted if each])
    return {"label_permutations": {**(permuted[0] or {}), "accuracy_std": spread}}


def _over_replicates(means: list[Comparison]) -> Comparison:
    if len(means) == 1:
        return means[0]
    values = [mean["mean"] for mean in means]
    return {"mean": float(np.mean(values)), "ci95": list(t_interval(values)), "over": "replicates"}


def _joined(comparisons: list[Comparison], part: str, key: str) -> str:
    return " ".join(comparison[part][key] for comparison in comparisons)
