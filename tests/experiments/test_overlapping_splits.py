"""The correction for splits that overlap: its formula, and how often it errs where replicates share characters."""

import numpy as np
import pytest
from scipy import stats

from experiments.overlapping_splits import corrected_verdicts, shared_fraction
from metaglot.report.statistics.significance import compare_over_seeds, verdict

MARGIN = 0.005
FRACTION = 423 / 1100


def differences(count: int, mean: float = 0.004, spread: float = 0.003) -> np.ndarray:
    return np.random.default_rng(count).normal(mean, spread, count)


def test_without_test_characters_it_is_the_paired_t_test() -> None:
    for mean in (-0.02, -0.003, 0.0, 0.003, 0.004, 0.02):
        pair = differences(6, mean)
        test = compare_over_seeds(pair, MARGIN)
        assert corrected_verdicts([pair], MARGIN, 0.0) == [verdict(test.difference, test.p, test.p_margin, MARGIN)]


@pytest.mark.parametrize("count", [3, 5, 10])
def test_the_t_statistic_shrinks_by_the_corrected_variance(count: int) -> None:
    """The mean at which the verdict changes, from SciPy's quantile and the formula of the paper."""
    pair = differences(count)
    error = pair.std(ddof=1) * np.sqrt(1 / count + FRACTION)
    bound = stats.t.ppf(0.975, count - 1) * error
    centred = pair - pair.mean()
    verdicts = [corrected_verdicts([centred + mean], 1e-9, FRACTION) for mean in (0.99 * bound, 1.01 * bound)]
    assert verdicts == [["inconclusive"], ["better"]]


def test_where_replicates_share_characters_it_seldom_finds_a_difference_that_is_not_there() -> None:
    """Characters of which each favours one algorithm by chance; every replicate tests on 423 of the same 1,623."""
    random, found = np.random.default_rng(0), {0.0: 0, FRACTION: 0}
    for _ in range(200):
        characters = random.normal(0, 1, 1623)
        pair = np.array([random.permutation(characters)[:423].mean() for _ in range(10)])
        for fraction in found:
            found[fraction] += corrected_verdicts([pair], 1e-9, fraction) != ["inconclusive"]
    assert found[0.0] > 40 and found[FRACTION] <= 16


def test_a_split_whose_test_characters_are_given_needs_no_correction() -> None:
    assert shared_fraction({"kind": "background", "train": 1100, "test": 423}) is None
    assert shared_fraction({"kind": "random", "train": 1100, "test": 423}) == FRACTION
