import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from metaglot.evaluation.confidence_intervals import (
    clustered_interval,
    clustered_variance,
    sequence_interval,
    t_interval,
)


def tasks_sharing_characters(
    rng: np.random.Generator, characters: int, tasks: int, ways: int
) -> tuple[np.ndarray, np.ndarray]:
    """Scores [tasks] of true mean 0, the mean ease of a task's characters plus noise; and its characters."""
    ease = rng.normal(0, 0.05, characters)
    held = np.argsort(rng.random((tasks, characters)), axis=1)[:, :ways]
    return ease[held].mean(axis=1) + rng.normal(0, 0.05, tasks), held


def covers(bounds: tuple[float, float]) -> bool:
    return bounds[0] <= 0 <= bounds[1]


def test_the_interval_is_scipys_t_interval():
    values = np.random.default_rng(0).normal(size=17)
    expected = stats.t.interval(0.95, 16, loc=values.mean(), scale=stats.sem(values))
    assert t_interval(values) == pytest.approx(expected)


def test_the_interval_of_independent_values_covers_the_mean_95_times_in_100():
    draws = np.random.default_rng(1).normal(size=(2000, 5))
    assert np.mean([covers(t_interval(values)) for values in draws]) == pytest.approx(0.95, abs=0.015)


def test_tasks_that_share_characters_are_covered_only_by_the_interval_that_knows():
    rng = np.random.default_rng(2)
    drawn = [tasks_sharing_characters(rng, characters=100, tasks=2000, ways=5) for _ in range(400)]
    by_character = np.mean([covers(clustered_interval(*scores)) for scores in drawn])
    naive = np.mean([covers(t_interval(values)) for values, _ in drawn])
    assert by_character == pytest.approx(0.95, abs=0.03)
    assert naive < 0.6


def test_near_the_ceiling_accuracies_of_25_queries_are_covered_and_so_are_their_differences():
    """423 characters, whose ease decides how many of 25 answers are right, most often all: skewed and in steps."""
    rng = np.random.default_rng(6)
    characters, tasks, ways = 423, 2000, 5
    ease, harder = 0.985, 0.98
    covered, differing, naive = [], [], []
    for _ in range(300):
        spread = rng.beta(9, 0.3, characters)  # of mean 9 / 9.3
        held = np.argsort(rng.random((tasks, characters)), axis=1)[:, :ways]
        first, second = (rng.binomial(5, np.clip(level * spread, 0, 1)[held]).sum(1) / 25 for level in (ease, harder))
        mean = 9 / 9.3
        bounds = clustered_interval(first, held)
        covered.append(covers((bounds[0] - ease * mean, bounds[1] - ease * mean)))
        low, high = t_interval(first)
        naive.append(covers((low - ease * mean, high - ease * mean)))
        low, high = clustered_interval(first - second, held)
        differing.append(covers((low - (ease - harder) * mean, high - (ease - harder) * mean)))
    assert first.mean() > 0.94 and np.median(first) >= 0.96
    assert np.mean(covered) == pytest.approx(0.95, abs=0.035)
    assert np.mean(differing) == pytest.approx(0.95, abs=0.035)
    assert np.mean(naive) < 0.9


def test_the_variance_sums_the_products_of_all_pairs_of_tasks_that_share_a_character():
    values, held = tasks_sharing_characters(np.random.default_rng(4), characters=12, tasks=40, ways=3)
    residuals = values - values.mean()
    shared = np.array([[len(set(a) & set(b)) for b in held] for a in held])
    np.fill_diagonal(shared, 1)
    assert clustered_variance(values, held) == pytest.approx(max(0, residuals @ shared @ residuals / 40**2))


def test_its_degrees_of_freedom_are_those_of_the_characters():
    values, held = tasks_sharing_characters(np.random.default_rng(2), characters=6, tasks=40, ways=3)
    error = clustered_variance(values, held) ** 0.5
    assert error > 0
    assert clustered_interval(values, held) == pytest.approx(stats.t.interval(0.95, 5, loc=values.mean(), scale=error))


def test_tasks_that_share_nothing_are_independent():
    values = np.random.default_rng(5).normal(size=50)
    alone = np.arange(150).reshape(50, 3)
    assert clustered_variance(values, alone) == pytest.approx(values.var() / 50)


def test_a_variance_that_would_be_negative_is_zero():
    values, held = np.array([1.0, -1.0]), np.array([[0, 1], [0, 1]])
    assert clustered_variance(values, held) == 0
    assert clustered_interval(values, held) == (0, 0)


def test_tasks_of_sequences_are_covered_by_an_interval_that_knows_both_ways_of_varying_together() -> None:
    """Effects of characters, of sequences and of tasks; 95% of 400 intervals contain the mean, give or take 3%."""
    random, inside, widths = np.random.default_rng(0), 0, []
    for _ in range(400):
        characters = np.stack([random.permutation(200)[:20].reshape(4, 5) for _ in range(150)])
        ease, luck = random.normal(0, 1, 200), random.normal(0, 0.3, (150, 1))
        values = ease[characters].mean(-1) + luck + random.normal(0, 0.3, (150, 4))
        low, high = sequence_interval(values, characters)
        inside, widths = inside + (low < 0 < high), [*widths, high - low]
    assert 0.92 <= inside / 400 <= 0.98 and min(widths) > 0


@pytest.mark.parametrize(("sequences", "characters", "freedom"), [(6, 200, 5), (150, 22, 21)])
def test_an_interval_over_sequences_has_the_freedom_of_the_fewer_of_sequences_and_characters(
    sequences: int, characters: int, freedom: int
) -> None:
    random = np.random.default_rng(0)
    held = np.stack([random.permutation(characters)[:20].reshape(4, 5) for _ in range(sequences)])
    values = random.normal(0, 1, characters)[held].mean(-1) + random.normal(0, 1, (sequences, 1))
    of_tasks, alone = held.reshape(-1, 5), np.eye(4 * sequences)
    shared = np.array([[len(set(a) & set(b)) for b in of_tasks] for a in of_tasks])
    np.fill_diagonal(shared, 1)
    same = np.kron(np.eye(sequences), np.ones((4, 4)))
    residuals = values.ravel() - values.mean()
    error = max(residuals @ pairs @ residuals for pairs in (shared, same, shared + same - alone)) ** 0.5 / values.size
    expected = stats.t.interval(0.95, freedom, loc=values.mean(), scale=error)
    assert sequence_interval(values, held) == pytest.approx(expected)


INTERVALS = """
import numpy as np
from metaglot.evaluation.confidence_intervals import clustered_interval
random = np.random.default_rng(0)
for _ in range(20):
    print(clustered_interval(random.normal(size=2000), random.integers(0, 99, (2000, 5))))
"""


def test_it_has_the_same_digits_on_processors_whose_blas_sums_in_another_order():
    """OpenBLAS's kernels for Nehalem sum two numbers at a time, those for newer processors four or eight."""
    printed = [
        subprocess.check_output([sys.executable, "-c", INTERVALS], env=os.environ | processor)
        for processor in ({}, {"OPENBLAS_CORETYPE": "Nehalem"})
    ]
    assert printed[0].count(b"\n") == 20 and printed[0] == printed[1]
