"""Tests of a difference over seeds: paired t test, Holm's correction, equivalence by two one-sided tests."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from metaglot.evaluation.confidence_intervals import t_interval

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "less", "greater"]
Judged = tuple[float | None, float | None, str]  # Holm's p and p_margin, and the verdict
ALPHA = 0.05


@dataclass(frozen=True)
class PairedTest:
    """A paired comparison over seeds. p: of no difference. p_margin: of a difference outside the margin."""

    __test__ = False  # not a test case of pytest

    difference: float
    ci95: tuple[float, float] | None
    p: float | None
    p_margin: float | None


def compare_over_seeds(differences: Floats, margin: float | None) -> PairedTest:
    """Test whether the mean of differences [seeds] is 0 and, with a margin, whether it is within the margin.

    One seed gives no interval and no p-value: it compares two networks, not two algorithms.
    """
    mean = float(differences.mean())
    if len(differences) == 1:
        return PairedTest(mean, None, None, None)
    p_margin = None if margin is None else _p_beyond(differences, margin)
    return PairedTest(mean, t_interval(differences), _p(differences, 0, "two-sided"), p_margin)


def _p_beyond(differences: Floats, margin: float) -> float:
    """The larger p-value of two one-sided tests (Schuirmann 1987) for a difference outside the margin."""
    return max(_p(differences, -margin, "greater"), _p(differences, margin, "less"))


def _p(differences: Floats, against: float, alternative: Alternative) -> float:
    if np.ptp(differences) == 0:  # such as first-order MAML against FOMAML: t would be 0 / 0
        mean = float(differences[0])
        holds = {"two-sided": mean != against, "greater": mean > against, "less": mean < against}
        return 0.0 if holds[alternative] else 1.0
    from scipy import stats  # slow to import, and one seed needs no test

    return float(stats.ttest_1samp(differences, against, alternative=alternative).pvalue)


def holm(p_values: list[float | None]) -> list[float | None]:
    """Holm's (1979) adjusted p-values of one family; None without a test."""
    tested = [p for p in p_values if p is not None]
    if len(tested) < 2:
        return p_values
    order, factors = np.argsort(tested), np.arange(len(tested), 0, -1)
    adjusted = np.empty(len(tested))
    adjusted[order] = np.maximum.accumulate(np.array(tested)[order] * factors).clip(max=1)
    remaining = iter(adjusted.tolist())
    return [None if p is None else next(remaining) for p in p_values]


def judge_family(tests: list[dict[str, Any]], margin: float, unit: str = "seed") -> list[Judged]:
    """Judge the tests of one family by their `difference`, `p` and `p_margin`."""
    corrected = zip(*(holm([test[p] for test in tests]) for p in ("p", "p_margin")), strict=True)
    both = zip(tests, corrected, strict=True)
    return [(p, p_margin, verdict(test["difference"], p, p_margin, margin, unit)) for test, (p, p_margin) in both]


def verdict(difference: float, p: float | None, p_margin: float | None, margin: float, unit: str = "seed") -> str:
    """The verdict on the first algorithm, from the difference in accuracy and Holm's p-values."""
    if p is None or p_margin is None:
        return f"inconclusive (one {unit})"
    if p < ALPHA:
        return "better" if difference > 0 else "worse"
    return no_larger_than(margin) if p_margin < ALPHA else "inconclusive"


def is_open(verdict: str) -> bool:
    return verdict.startswith("inconclusive")


def no_larger_than(margin: float) -> str:
    return f"no difference larger than {100 * margin:g} points"
