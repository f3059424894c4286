"""Every pair of algorithms, on the same tasks: by seed, which speaks of two networks, and over seeds."""

from copy import deepcopy
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.core.common.errors import UserError
from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.evaluation.metrics import MEASURES
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.significance import ALPHA, Floats, compare_over_seeds, holm, verdict

Pair = dict[str, Any]
Grouped = dict[str, dict[int, LoadedRun]]

# The families of comparisons, declared before looking: all pairs are one. The original study's claims ask for one
# comparison alone, which needs no correction. Whether meta-learning helps is asked of each meta-learner against both
# baselines, which are a family of their own.
CLAIMED = ("maml", "fomaml")
BASELINES = ("pretrained", "scratch")


def refuse_other_tasks(runs: list[LoadedRun]) -> None:
    """Differences are of scores on the same tasks: refuse runs that were scored on others."""
    first = runs[0]
    for run in runs[1:]:
        for key in ("dataset", "split_sha256", "tasks_sha256"):
            ours, theirs = getattr(first.result, key), getattr(run.result, key)
            if ours != theirs:
                raise UserError(
                    f"{first.name} and {run.name} were not scored on the same tasks: "
                    f"{key} is {ours} and {theirs}; run `dvc repro` to score both again"
                )
        if not np.array_equal(first.scores["characters"], run.scores["characters"]):
            raise UserError(f"the scores of {first.name} and {run.name} hold different tasks: run `dvc repro`")


def by_algorithm(runs: list[LoadedRun]) -> Grouped:
    """Runs by algorithm and seed, in the order of the rows."""
    grouped: Grouped = {}
    for run in runs:
        grouped.setdefault(run.algorithm, {})[run.seed] = run
    return grouped


def compare_pairs(runs: list[LoadedRun], margin: float) -> list[Pair]:
    """Compare every pair of algorithms: a difference is the first's score minus the second's."""
    grouped = by_algorithm(runs)
    return correct_family([_compare(grouped[a], grouped[b], margin) for a, b in combinations(grouped, 2)], margin)


def find_pair(compare_pairs: list[Pair], algorithm: str, other: str) -> Pair | None:
    """The pair of two algorithms, whichever is first, if they were compared."""
    return next((pair for pair in compare_pairs if {pair["first"], pair["second"]} == {algorithm, other}), None)


def correct_family(compare_pairs: list[Pair], margin: float) -> list[Pair]:
    """These pairs as one family: with Holm's p-values over them, and the verdicts that these give."""
    compared = [
        pair | {"family": len(compare_pairs), "over_seeds": deepcopy(pair["over_seeds"])} for pair in compare_pairs
    ]
    for measure in MEASURES:
        _correct([pair["over_seeds"][measure] for pair in compared])
    for pair in compared:
        accuracy = pair["over_seeds"]["accuracy"]
        difference, p, p_margin = (accuracy[key] for key in ("difference", "p_holm", "p_margin_holm"))
        pair["verdict"] = verdict(difference, p, p_margin, margin)
        pair["within_margin"] = p_margin is not None and p_margin < ALPHA
    return compared


def _compare(first: dict[int, LoadedRun], second: dict[int, LoadedRun], margin: float) -> Pair:
    (a, *_), (b, *_) = first.values(), second.values()
    seeds = [seed for seed in first if seed in second]
    by_seed = [_of_seed(first[seed], second[seed]) for seed in seeds]
    averaged = _averaged([first[seed] for seed in seeds], [second[seed] for seed in seeds])
    over = {
        measure: compare_over_seeds(
            np.array([seed[measure]["difference"] for seed in by_seed]),
            margin if MEASURES[measure].is_fraction else None,
        )
        for measure in MEASURES
    }
    return {
        "first": a.algorithm,
        "second": b.algorithm,
        "labels": [a.result.label, b.result.label],
        "by_seed": by_seed,
        "over_seeds": {measure: asdict(test) | averaged[measure] for measure, test in over.items()},
    }


def _averaged(first: list[LoadedRun], second: list[LoadedRun]) -> dict[str, Any]:
    """The other uncertainty: of the mean network of these seeds, over which tasks and characters it was tested on."""
    held = first[0].scores["characters"]
    return {
        measure: uncertainty(task_means(first, measure) - task_means(second, measure), held) for measure in MEASURES
    }


def task_means(runs: list[LoadedRun], measure: str) -> Floats:
    """[tasks]: each test task's score as a mean over runs."""
    return np.mean([run.scores[measure] for run in runs], axis=0, dtype=np.float64)


def uncertainty(values: Floats, characters: NDArray[np.int16]) -> dict[str, Any]:
    """Of a mean over tasks: the interval that takes them as independent, and that which knows what they share."""
    return {
        "ci95_by_task": list(t_interval(values)),
        "ci95_by_character": list(clustered_interval(values, characters)),
    }


def _of_seed(first: LoadedRun, second: LoadedRun) -> dict[str, Any]:
    """Two networks on the same tasks, with the paired interval that knows that tasks share characters."""
    found: dict[str, Any] = {"seed": first.seed}
    for measure in MEASURES:
        differences = first.scores[measure].astype(np.float64) - second.scores[measure]
        found[measure] = {
            "difference": float(differences.mean()),
            "ci95": list(t_interval(differences)),
            "ci95_by_character": list(clustered_interval(differences, first.scores["characters"])),
        }
    return found


def _correct(tests: list[dict[str, Any]]) -> None:
    """Add Holm's p-values to the tests of one measure."""
    for p in ("p", "p_margin"):
        for test, adjusted in zip(tests, holm([test[p] for test in tests]), strict=True):
            test[f"{p}_holm"] = adjusted
