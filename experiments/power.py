"""How many replicates would settle a pair, from the variance found so far."""

import numpy as np
from scipy import stats

ALPHA, POWER, MOST = 0.05, 0.8, 1000


def replicates_needed(differences: np.ndarray, margin: float, family: int) -> int | None:
    """The smallest number with a power of 80% to show a difference, or that it is within the margin.

    As if the mean and the standard deviation found were the true ones, at 5% divided by the number of pairs. None if
    1,000 are too few.
    """
    mean, deviation, alpha = abs(float(differences.mean())), float(differences.std(ddof=1)), ALPHA / family
    for number in range(2, MOST + 1):
        shown = t_test_power(mean / deviation, number, alpha / 2)
        if max(shown, equivalence_power(mean, deviation, margin, number, alpha)) >= POWER:
            return number
    return None


def equivalence_power(mean: float, deviation: float, margin: float, number: int, alpha: float) -> float:
    """A lower bound of the power of both one-sided tests together; close where it matters, at high power."""
    above, below = (t_test_power((margin + sign * mean) / deviation, number, alpha) for sign in (1, -1))
    return max(0.0, above + below - 1)


def t_test_power(effect: float, number: int, alpha: float) -> float:
    """The power of a one-sided one-sample t test for a standardised effect."""
    freedom = number - 1
    return float(stats.nct.sf(stats.t.isf(alpha, freedom), freedom, effect * np.sqrt(number)))
