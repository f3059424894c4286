"""Sequences of tasks: what each algorithm learns and forgets over its seeds, and differences between algorithms."""

from itertools import combinations
from typing import Any

import numpy as np

from metaglot.core.common.errors import UserError
from metaglot.evaluation.confidence_intervals import sequence_interval
from metaglot.evaluation.result_record import SequenceModes, SequenceScores
from metaglot.evaluation.sequence_accuracies import by_task
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.over_seeds import by_algorithm, mean_over_seeds, same_seeds
from metaglot.report.statistics.significance import compare_over_seeds, judge_family

Record = dict[str, Any]
SUMMARIES = ("learning", "final", "forgetting")
COMPARED = {"final": "pairs", "forgetting": "forgetting_pairs"}  # by summary: the key of its family of pairs
WORDS = {"final": {}, "forgetting": {"better": "forgets more", "worse": "forgets less"}}  # of verdicts


def compare_sequences(runs: list[LoadedRun], margin: float) -> Record | None:
    """The scores of each algorithm over its seeds, and the paired differences; None unless all runs have sequences.

    The pairs' differences after the last task are one family, those in forgetting another. Raises UserError for other
    sequences.
    """
    if not all(run.result.sequences for run in runs):
        return None
    if len({sequences_of(run).tasks_sha256 for run in runs}) > 1:
        raise UserError("the runs were not scored on the same sequences: run `dvc repro` to score them again")
    grouped = by_algorithm(runs)
    test = runs[0].result.evaluate
    return {
        "sequences": test.sequences,
        "length": test.sequence_length,
        **({"heads": test.sequence_heads} if test.sequence_heads != "one" else {}),
        "algorithms": [_row(seeds) for seeds in grouped],
        **{key: _family(grouped, summary, margin) for summary, key in COMPARED.items()},
    }


def sequences_of(run: LoadedRun) -> SequenceModes:
    assert run.result.sequences is not None
    return run.result.sequences


def _row(seeds: list[LoadedRun]) -> Record:
    modes = [sequences_of(run) for run in seeds]
    transductive, inductive = [mode.transductive for mode in modes], [mode.inductive for mode in modes]
    return {
        "algorithm": seeds[0].algorithm,
        "label": seeds[0].result.label,
        "seeds": [run.seed for run in seeds],
        **{name: _over_seeds(name, transductive) for name in SUMMARIES},
        "inductive": {name: _over_seeds(name, inductive) for name in SUMMARIES},
        "matrix": _mean_matrix(transductive),
    }


def _over_seeds(name: str, scores: list[SequenceScores]) -> Record:
    means = [getattr(score, name) for score in scores]
    return mean_over_seeds([mean.mean for mean in means], means[0].ci95_by_character, "characters")


def _mean_matrix(scores: list[SequenceScores]) -> list[list[float]]:
    return [np.mean(rows, axis=0).tolist() for rows in zip(*(score.matrix for score in scores), strict=True)]


def _family(grouped: list[list[LoadedRun]], summary: str, margin: float) -> list[Record]:
    """Every pair of algorithms, with Holm's p-values over all of them, and the verdicts."""
    pairs = [_pair(first, second, summary, margin) for first, second in combinations(grouped, 2)]
    for pair, (p, _, verdict) in zip(pairs, judge_family(pairs, margin), strict=True):
        pair |= {"p_holm": p, "verdict": WORDS[summary].get(verdict, verdict)}
    return pairs


def _pair(first: list[LoadedRun], second: list[LoadedRun], summary: str, margin: float) -> Record:
    """The difference in a summary, over the seeds that both have."""
    differences = [_of_tasks(run, summary) - _of_tasks(other, summary) for run, other in same_seeds(first, second)]
    test = compare_over_seeds(np.array([of_seed.mean() for of_seed in differences]), margin)
    characters = first[0].scores["sequence_characters"]
    return {
        "labels": [first[0].result.label, second[0].result.label],
        "seeds": len(differences),
        "difference": test.difference,
        "ci95": list(test.ci95) if test.ci95 else None,
        "ci95_by_character": list(sequence_interval(np.mean(differences, axis=0), characters)),
        "p": test.p,
        "p_margin": test.p_margin,
    }


def _of_tasks(run: LoadedRun, summary: str) -> np.ndarray:
    """[sequences, length]"""
    return by_task(run.scores["sequence_accuracy"].astype(np.float64))[summary]
