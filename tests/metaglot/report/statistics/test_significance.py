import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from metaglot.report.statistics.significance import ALPHA, compare_over_seeds, holm, no_larger_than, verdict

MARGIN = 0.005


def judged(differences: np.ndarray, margin: float = MARGIN) -> str:
    test = compare_over_seeds(differences, margin)
    return verdict(test.difference, test.p, test.p_margin, margin)


def test_both_p_values_are_those_of_statsmodels():
    differences = np.random.default_rng(0).normal(0.002, 0.004, 8)
    test = compare_over_seeds(differences, MARGIN)
    assert test.p == pytest.approx(DescrStatsW(differences).ttest_mean(0)[1])
    assert test.p_margin == pytest.approx(ttost_paired(differences, np.zeros(8), -MARGIN, MARGIN)[0])
    assert test.ci95 == pytest.approx(DescrStatsW(differences).tconfint_mean())


@pytest.mark.parametrize(
    ("p_values", "corrected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # the smallest times three; they never fall
        ([0.9, 0.8], [1, 1]),
        ([None, 0.02, None, 0.03], [None, 0.04, None, 0.04]),  # None was not tested
        ([None], [None]),
        ([None, 0.02], [None, 0.02]),
    ],
)
def test_holms_p_values_are_those_computed_by_hand(p_values: list[float | None], corrected: list[float | None]):
    assert holm(p_values) == [None if p is None else pytest.approx(p) for p in corrected]


def test_a_p_value_of_exactly_5_percent_is_not_below_it():
    assert verdict(0.1, 0.05, 0.05, MARGIN) == "inconclusive"
    assert verdict(0.1, 0.049, 0.05, MARGIN) == "better"
    assert verdict(0.0, 0.5, 0.049, MARGIN) == no_larger_than(MARGIN)
    assert verdict(0.1, 0.01, None, MARGIN) == verdict(0.1, None, 0.01, MARGIN) == "inconclusive (one seed)"


@pytest.mark.parametrize("difference", [MARGIN, -MARGIN])
def test_equal_differences_of_exactly_the_margin_are_not_within_it(difference: float):
    test = compare_over_seeds(np.full(3, difference), MARGIN)
    assert (test.p, test.p_margin) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("mean", "spread", "expected"),
    [
        (0.02, 0.004, "better"),
        (-0.02, 0.004, "worse"),
        (0.0, 0.001, "no difference larger than 0.5 points"),
        (0.0, 0.03, "inconclusive"),
    ],
)
def test_the_verdict_follows_the_seeds(mean: float, spread: float, expected: str):
    differences = mean + spread * np.array([-1.2, -0.6, 0.1, 0.5, 1.2])
    assert judged(differences) == expected


def test_a_difference_that_is_real_but_does_not_matter_is_told_as_real():
    differences = 0.002 + 0.0001 * np.array([-1.0, 0.0, 1.0])
    test = compare_over_seeds(differences, MARGIN)
    assert test.p_margin is not None and test.p_margin < 0.05
    assert judged(differences) == "better"


def test_networks_that_are_the_same_are_within_any_margin():
    assert judged(np.zeros(3)) == no_larger_than(MARGIN)
    assert judged(np.full(3, 0.25)) == "better"


def test_algorithms_that_do_not_differ_are_called_different_5_times_in_100():
    draws = np.random.default_rng(1).normal(0, 0.01, (500, 5))
    verdicts = [judged(differences) for differences in draws]
    assert (verdicts.count("better") + verdicts.count("worse")) / 500 == pytest.approx(0.05, abs=0.03)


def test_a_difference_of_the_margin_is_called_smaller_5_times_in_100_at_most():
    random = np.random.default_rng(2)
    verdicts = [judged(random.normal(MARGIN, 0.001, 6)) for _ in range(300)]
    assert verdicts.count(no_larger_than(MARGIN)) / 300 <= 0.08


def test_who_tests_after_every_replicate_finds_a_difference_that_is_not_there_in_a_fifth_of_the_cases():
    """docs/method.md says so of two to ten replicates."""
    cases = np.random.default_rng(0).normal(size=(200, 10))
    found = [any(compare_over_seeds(case[:n], None).p < ALPHA for n in range(2, 11)) for case in cases]
    assert 0.12 < np.mean(found) < 0.28
