import numpy as np
import pytest

from metaglot.evaluation.confidence_intervals import t_interval
from metaglot.evaluation.worst_tenth import worst_tenth


@pytest.mark.parametrize("tasks", [10, 200, 10_000])
def test_its_mean_is_that_of_the_tenth_of_the_tasks_with_the_lowest_accuracies(tasks):
    accuracies = (np.random.default_rng(0).binomial(25, 0.9, tasks) / 25).astype(np.float32)
    expected = np.sort(accuracies)[: tasks // 10].mean(dtype=np.float64)
    assert worst_tenth(accuracies).mean(dtype=np.float64) == pytest.approx(expected, abs=1e-6)


def test_a_tenth_that_cuts_a_task_counts_a_part_of_it():
    accuracies = np.array([0.2, *[0.6] * 14], np.float32)
    assert worst_tenth(accuracies).mean() == pytest.approx((0.2 + 0.5 * 0.6) / 1.5)
    assert worst_tenth(np.array([0.4, 0.8], np.float32)).mean() == pytest.approx(0.4)


def test_tasks_that_are_all_alike_are_the_worst_themselves():
    assert worst_tenth(np.full(50, 0.96, np.float32)).mean() == pytest.approx(0.96)


def test_the_interval_covers_the_mean_of_the_worst_tenth_95_times_in_100():
    random = np.random.default_rng(1)
    expected = np.sort(random.beta(9, 1, 1_000_000))[:100_000].mean()
    bounds = [t_interval(worst_tenth(random.beta(9, 1, 2000).astype(np.float32))) for _ in range(1000)]
    assert np.mean([low <= expected <= high for low, high in bounds]) == pytest.approx(0.95, abs=0.02)
