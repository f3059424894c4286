"""95% intervals of a mean: of independent values, and of tasks that share characters."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

LEVEL = 0.95


def t_interval(values: ArrayLike) -> tuple[float, float]:
    """The t interval of the mean of independent values.

    values: [n], n at least 2. Returns (low, high) in the unit of the values.
    """
    values = np.asarray(values, dtype=np.float64)
    return _t_interval(values.mean(), values.std(ddof=1) / np.sqrt(len(values)), len(values) - 1)


def clustered_interval(values: ArrayLike, characters: ArrayLike) -> tuple[float, float]:
    """The interval of the mean of tasks that share characters, which are the units that were sampled.

    Two tasks vary together as far as they hold the same characters, so the variance of the mean sums the
    products of the residuals of all such pairs: what Aronow, Samii and Assenova (2015, "Cluster-Robust
    Variance Estimation for Dyadic Data") do for pairs, here for any number of ways.

    values: [tasks]. characters: [tasks, ways], integers, distinct within a task. Returns (low, high).
    """
    values, characters = np.asarray(values, dtype=np.float64), np.asarray(characters)
    error = np.sqrt(clustered_variance(values, characters))
    return _t_interval(values.mean(), error, len(np.unique(characters)) - 1)


def wider_interval(by_task: tuple[float, float], by_character: tuple[float, float]) -> tuple[float, float]:
    """The interval that tables and figures show. Returns (low, high).

    With few characters the clustered variance can be near 0, although shared characters can only widen an interval.
    The result files keep both intervals.
    """
    lows, highs = zip(by_task, by_character, strict=True)
    return min(lows), max(highs)


def sequence_interval(values: ArrayLike, characters: ArrayLike) -> tuple[float, float]:
    """The interval of the mean over tasks in sequences: two tasks vary together within a sequence, or by a character.

    Two-way clustering (Cameron, Gelbach and Miller 2011, "Robust Inference with Multiway Clustering"); no less than
    either way alone. values: [sequences, length]. characters: [sequences, length, ways]. Returns (low, high).
    """
    values, characters = np.asarray(values, dtype=np.float64), np.asarray(characters)
    tasks, residuals = values.size, values - values.mean()
    by_character = clustered_variance(values.ravel(), characters.reshape(tasks, -1))
    by_sequence = float(np.square(residuals.sum(1)).sum()) / tasks**2
    both = by_character + by_sequence - float(np.square(residuals).sum()) / tasks**2
    freedom = min(len(np.unique(characters)), len(values)) - 1
    return _t_interval(values.mean(), np.sqrt(max(both, by_character, by_sequence)), freedom)


def clustered_variance(values: np.ndarray, characters: np.ndarray) -> float:
    """(sum_c S_c^2 - (ways - 1) sum_t r_t^2) / T^2, not below 0: S_c sums the residuals of c's tasks.

    The first sum counts a task's own square once for each of its characters; the second takes the rest away. Both are
    numpy's own sums: a product of BLAS has other last digits on another processor.
    """
    tasks, ways = characters.shape
    residuals = values - values.mean()
    sums = np.bincount(characters.ravel(), weights=np.repeat(residuals, ways))
    return max(0.0, float(np.square(sums).sum() - (ways - 1) * np.square(residuals).sum()) / tasks**2)


def _t_interval(mean: float, error: float, freedom: int) -> tuple[float, float]:
    reach = stdtrit(freedom, (1 + LEVEL) / 2) * error
    return float(mean - reach), float(mean + reach)
