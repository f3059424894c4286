"""The claims about accuracy: FOMAML's lead after 10,000 iterations, and MAML's after more."""

import numpy as np

from metaglot.report import words, writeup
from metaglot.report.evidence import (
    INCONCLUSIVE,
    NOT_SUPPORTED,
    NOT_TESTED,
    SEEDS,
    SUPPORTED,
    Evidence,
    Finding,
    experiment,
)
from metaglot.report.standing import Standing

LONGER = 60_000
NOT_BOTH = "MAML and FOMAML were not both trained, for as many iterations."


def fomaml_leads(evidence: Evidence) -> Finding:
    """FOMAML's standing against MAML, at the write-up's task and number of iterations."""
    command, standing = experiment(writeup.ITERATIONS), evidence.standing("fomaml", "maml")
    if standing is None:
        return Finding(NOT_BOTH, NOT_TESTED, command)
    if not writeup.redoes(evidence.report) or evidence.iterations() != writeup.ITERATIONS:
        return Finding(f"In another setting than the claim's, {words.difference(standing)}.", NOT_TESTED, command)
    return _judged(standing, f"{words.difference(standing)}. {_few_tasks(evidence)}")


def maml_overtakes(evidence: Evidence) -> Finding:
    """MAML's standing after more iterations; fewer only show which way the validation curves go."""
    command, standing = experiment(LONGER), evidence.standing("maml", "fomaml")
    if standing is None:
        return Finding(NOT_BOTH, NOT_TESTED, command)
    leads = _validation_leads(evidence)
    if not writeup.redoes(evidence.report) or evidence.iterations() <= writeup.ITERATIONS:
        return Finding(f"In part: {leads}", NOT_TESTED, command)
    measured = f"After {evidence.iterations():,} iterations {words.difference(standing)}. {leads}"
    return _judged(standing, measured)


def _judged(standing: Standing, measured: str) -> Finding:
    """A claim that an algorithm is better than another, by its standing."""
    if standing.verdict.startswith(INCONCLUSIVE):
        return Finding(measured, INCONCLUSIVE, f"dvc exp run --temp {SEEDS}")
    return Finding(measured, SUPPORTED if standing.verdict == "better" else NOT_SUPPORTED)


def _few_tasks(evidence: Evidence) -> str:
    """What the write-up's number of test tasks can tell, from our own spread over tasks."""
    runs = [*evidence.of(True), *evidence.of(False)]
    tasks = runs[0].result.writeup.tasks
    few = [run.result.writeup.accuracy for run in runs]
    spread = 1.96 * np.mean([run.result.accuracy.std for run in runs]) / np.sqrt(tasks)
    return (
        f"On the first {tasks} of our tasks alone the networks score {words.percent(min(few))} to "
        f"{words.percent(max(few))}; the draw of {tasks} tasks moves such a score by \N{PLUS-MINUS SIGN}"
        f"{100 * spread:.2f} points."
    )


def _validation_leads(evidence: Evidence) -> str:
    """MAML's mean lead on the validation tasks, half way and at the end."""
    curves = [_mean_curve(evidence, first_order) for first_order in (False, True)]
    common = sorted(set(curves[0]) & set(curves[1]) - {0})
    if not common:
        return "no validation was made at iterations that both reached."
    at = dict.fromkeys((common[(len(common) - 1) // 2], common[-1]))
    leads = [f"{words.points(curves[0][i] - curves[1][i])} points after {i:,} iterations" for i in at]
    return f"on the validation tasks MAML minus FOMAML is {words.listed(leads)}, as a mean over seeds."


def _mean_curve(evidence: Evidence, first_order: bool) -> dict[int, float]:
    """Mean validation accuracy over seeds, by iteration."""
    found: dict[int, list[float]] = {}
    for run in evidence.of(first_order):
        for row in run.history:
            if "validation_accuracy" in row:
                found.setdefault(int(row["iteration"]), []).append(row["validation_accuracy"])
    return {iteration: float(np.mean(values)) for iteration, values in found.items()}
