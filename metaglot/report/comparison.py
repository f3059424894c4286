"""Every pair of algorithms, on the same tasks: by seed, which speaks of two networks, and over seeds."""

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from metaglot.errors import Refusal
from metaglot.report.runs import MEASURES, Run
from metaglot.report.verdicts import ALPHA, holm, over_seeds, verdict
from metaglot.statistics import interval, interval_by_character

Pair = dict[str, Any]
Grouped = dict[str, dict[int, Run]]


def refuse_other_tasks(runs: list[Run]) -> None:
    """Differences are of scores on the same tasks: refuse runs that were scored on others."""
    first = runs[0]
    for run in runs[1:]:
        for key in ("dataset", "split_sha256", "tasks_sha256"):
            ours, theirs = getattr(first.result, key), getattr(run.result, key)
            if ours != theirs:
                raise Refusal(
                    f"{first.name} and {run.name} were not scored on the same tasks: "
                    f"{key} is {ours} and {theirs}; run `dvc repro` to score both again"
                )
        if not np.array_equal(first.scores["characters"], run.scores["characters"]):
            raise Refusal(f"the scores of {first.name} and {run.name} hold different tasks: run `dvc repro`")


def by_algorithm(runs: list[Run]) -> Grouped:
    """Runs by algorithm and seed, in the order of the rows."""
    grouped: Grouped = {}
    for run in runs:
        grouped.setdefault(run.algorithm, {})[run.seed] = run
    return grouped


def pairs(runs: list[Run], margin: float) -> list[Pair]:
    """Compare every pair of algorithms: a difference is the first's score minus the second's."""
    grouped = by_algorithm(runs)
    compared = [_compare(grouped[a], grouped[b], margin) for a, b in combinations(grouped, 2)]
    for measure in MEASURES:
        _correct([pair["over_seeds"][measure] for pair in compared])
    for pair in compared:
        accuracy = pair["over_seeds"]["accuracy"]
        difference, p, p_margin = (accuracy[key] for key in ("difference", "p_holm", "p_margin_holm"))
        pair["verdict"] = verdict(difference, p, p_margin, margin)
        pair["within_margin"] = p_margin is not None and p_margin < ALPHA
    return compared


def _compare(first: dict[int, Run], second: dict[int, Run], margin: float) -> Pair:
    (a, *_), (b, *_) = first.values(), second.values()
    by_seed = [_of_seed(first[seed], second[seed]) for seed in first if seed in second]
    over = {
        measure: over_seeds(
            np.array([seed[measure]["difference"] for seed in by_seed]),
            margin if "accuracy" in measure else None,
        )
        for measure in MEASURES
    }
    return {
        "first": a.algorithm,
        "second": b.algorithm,
        "labels": [a.result.label, b.result.label],
        "by_seed": by_seed,
        "over_seeds": {measure: asdict(test) for measure, test in over.items()},
    }


def _of_seed(first: Run, second: Run) -> dict[str, Any]:
    """Two networks on the same tasks, with the paired interval that knows that tasks share characters."""
    found: dict[str, Any] = {"seed": first.seed}
    for measure in MEASURES:
        differences = first.scores[measure].astype(np.float64) - second.scores[measure]
        found[measure] = {
            "difference": float(differences.mean()),
            "ci95": list(interval(differences)),
            "ci95_by_character": list(interval_by_character(differences, first.scores["characters"])),
        }
    return found


def _correct(tests: list[dict[str, Any]]) -> None:
    """Add Holm's p-values to the tests of one measure: the pairs are one family."""
    for p in ("p", "p_margin"):
        for test, adjusted in zip(tests, holm([test[p] for test in tests]), strict=True):
            test[f"{p}_holm"] = adjusted
