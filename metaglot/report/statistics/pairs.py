"""All pairs of algorithms compared on the same tasks: by seed (two networks) and over seeds (the algorithms)."""

from copy import deepcopy
from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from metaglot.core.common.errors import UserError
from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.evaluation.metrics import MEASURES
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm, intervals, same_seeds, task_means
from metaglot.report.statistics.significance import ALPHA, compare_over_seeds, judge_family

Pair = dict[str, Any]

# The families of comparisons, declared before any result was seen: all pairs are one. The original study's claims are
# about one pair, which needs no correction. The meta-learners against both baselines are another family.
CLAIMED = ("maml", "fomaml")
BASELINES = ("pretrained", "scratch")


def refuse_other_tasks(runs: list[LoadedRun]) -> None:
    """Raise UserError unless all runs were scored on the same tasks, since differences are paired by task."""
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
            raise UserError(f"the scores of {first.name} and {run.name} contain different tasks: run `dvc repro`")


def compare_pairs(runs: list[LoadedRun], margin: float) -> list[Pair]:
    """Compare every pair of algorithms: a difference is the first's score minus the second's."""
    return correct_family([_compare(*both, margin) for both in combinations(by_algorithm(runs), 2)], margin)


def find_pair(pairs: list[Pair], algorithm: str, other: str) -> Pair | None:
    """The pair of two algorithms, whichever is first, if they were compared."""
    return next((pair for pair in pairs if {pair["first"], pair["second"]} == {algorithm, other}), None)


def correct_family(pairs: list[Pair], margin: float) -> list[Pair]:
    """These pairs as one family: with Holm's p-values over them, and the verdicts from these."""
    compared = [pair | {"family": len(pairs), "over_seeds": deepcopy(pair["over_seeds"])} for pair in pairs]
    unit = next((pair["unit"] for pair in pairs if "unit" in pair), "seed")
    for measure in MEASURES:
        tested = [pair for pair in compared if measure in pair["over_seeds"]]
        judged = judge_family([pair["over_seeds"][measure] for pair in tested], margin, unit)
        for pair, (p, p_margin, verdict) in zip(tested, judged, strict=True):
            pair["over_seeds"][measure] |= {"p_holm": p, "p_margin_holm": p_margin}
            if measure == "accuracy":
                pair |= {"verdict": verdict, "within_margin": p_margin is not None and p_margin < ALPHA}
    return compared


def _compare(first: list[LoadedRun], second: list[LoadedRun], margin: float) -> Pair:
    both = same_seeds(first, second)
    ours, theirs = ([runs[place] for runs in both] for place in (0, 1))
    characters = ours[0].scores["characters"]
    by_seed = [_of_seed(*runs) for runs in both]
    return {
        "first": ours[0].algorithm,
        "second": theirs[0].algorithm,
        "labels": [ours[0].result.label, theirs[0].result.label],
        "by_seed": by_seed,
        "over_seeds": {
            measure: test | intervals(task_means(ours, measure) - task_means(theirs, measure), characters)
            for measure, test in paired_tests(by_seed, margin).items()
        },
    }


def paired_tests(by_seed: list[dict[str, Any]], margin: float) -> dict[str, dict[str, Any]]:
    """The paired test of each measure, from the differences of each seed; the margin is for fractions."""
    return {
        name: asdict(
            compare_over_seeds(
                np.array([seed[name]["difference"] for seed in by_seed]), margin if measure.is_fraction else None
            )
        )
        for name, measure in MEASURES.items()
        if all(name in seed for seed in by_seed)
    }


def _of_seed(first: LoadedRun, second: LoadedRun) -> dict[str, Any]:
    """Two networks on the same tasks: the paired differences with their intervals, in what both were scored by."""
    row: dict[str, Any] = {"seed": first.seed}
    for measure in (measure for measure in MEASURES if measure in first.scores and measure in second.scores):
        differences = first.scores[measure].astype(np.float64) - second.scores[measure]
        row[measure] = {
            "difference": float(differences.mean()),
            "ci95": list(t_interval(differences)),
            "ci95_by_character": list(clustered_interval(differences, first.scores["characters"])),
        }
    return row
