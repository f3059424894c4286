"""What may be said of two algorithms from their differences over seeds: t test, Holm, two one-sided tests."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from metaglot.evaluation.confidence_intervals import t_interval

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "less", "greater"]
ALPHA = 0.05
ONE_SEED = "inconclusive (one seed)"


@dataclass(frozen=True)
class PairedTest:
    """A paired comparison over seeds; `p` is of no difference, `p_margin` of one not within the margin."""

    __test__ = False  # no test case of pytest's

    difference: float
    ci95: tuple[float, float] | None
    p: float | None
    p_margin: float | None


def compare_over_seeds(differences: Floats, margin: float | None) -> PairedTest:
    """Test differences [seeds] against 0 and, where there is a margin, for lying within it.

    One seed gives no interval and no p-value: it speaks of two networks, not of two algorithms.
    """
    mean = float(differences.mean())
    if len(differences) == 1:
        return PairedTest(mean, None, None, None)
    p_margin = None if margin is None else _p_beyond(differences, margin)
    return PairedTest(mean, t_interval(differences), _p(differences, 0, "two-sided"), p_margin)


def _p_beyond(differences: Floats, margin: float) -> float:
    """The larger p-value of two one-sided tests (Schuirmann 1987), of a difference outside the margin."""
    return max(_p(differences, -margin, "greater"), _p(differences, margin, "less"))


def _p(differences: Floats, against: float, alternative: Alternative) -> float:
    if np.ptp(differences) == 0:  # MAML made first-order against FOMAML, say: a t statistic would be 0 / 0
        mean = float(differences[0])
        holds = {"two-sided": mean != against, "greater": mean > against, "less": mean < against}
        return 0.0 if holds[alternative] else 1.0
    return float(stats.ttest_1samp(differences, against, alternative=alternative).pvalue)


def holm(p_values: list[float | None]) -> list[float | None]:
    """Holm's (1979) adjusted p-values of one family; where there was no test there is none."""
    tested = [p for p in p_values if p is not None]
    if len(tested) < 2:
        return p_values
    order, factors = np.argsort(tested), np.arange(len(tested), 0, -1)
    adjusted = np.empty(len(tested))
    adjusted[order] = np.maximum.accumulate(np.array(tested)[order] * factors).clip(max=1)
    remaining = iter(adjusted.tolist())
    return [None if p is None else next(remaining) for p in p_values]


def verdict(difference: float, p: float | None, p_margin: float | None, margin: float) -> str:
    """The first algorithm's standing by its difference in accuracy and Holm's p-values."""
    if p is None or p_margin is None:
        return ONE_SEED
    if p < ALPHA:
        return "better" if difference > 0 else "worse"
    return no_larger_than(margin) if p_margin < ALPHA else "inconclusive"


def no_larger_than(margin: float) -> str:
    return f"no difference larger than {margin:g}"
