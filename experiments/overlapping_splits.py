"""Replicates whose splits overlap: Nadeau and Bengio 2003, "Inference for the Generalization Error", section 5.

Every replicate divides the same characters, so two of them share characters, and their differences vary together. The
corrected variance of a mean over n replicates has the factor 1/n + test/train in place of 1/n, in characters.
"""

from typing import Any

import numpy as np
from scipy import stats

from metaglot.report.statistics.significance import judge_family


def shared_fraction(split: dict[str, Any]) -> float | None:
    """test / train of a split's params; None where the replicates do not draw the test characters."""
    return split["test"] / split["train"] if split["kind"] == "random" else None


def corrected_verdicts(differences: list[np.ndarray], margin: float, fraction: float) -> list[str]:
    """The verdicts on pairs, each with its differences over replicates [n], at least two."""
    tests = [_corrected_test(each, margin, fraction) for each in differences]
    return [verdict for *_, verdict in judge_family(tests, margin, "replicate")]


def _corrected_test(differences: np.ndarray, margin: float, fraction: float) -> dict[str, float]:
    """The paired t test and both one-sided tests against the margin, with the corrected standard error."""
    count, mean = len(differences), float(differences.mean())
    error = differences.std(ddof=1) * np.sqrt(1 / count + fraction)
    above, below, beyond = stats.t.sf(np.array([abs(mean), margin - mean, margin + mean]) / error, count - 1).tolist()
    return {"difference": mean, "p": 2 * above, "p_margin": max(below, beyond)}
