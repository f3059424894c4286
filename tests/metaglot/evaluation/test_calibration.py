import numpy as np
import pytest
import torch

from metaglot.evaluation.calibration import BINS, bin_gaps, calibration_errors


def answers(tasks: int = 40, queries: int = 12, ways: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits and labels of which most, but not all, agree."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(ways, (tasks, queries), generator=generator)
    logits = torch.randn(tasks, queries, ways, generator=generator) * 2
    return logits.scatter_add(2, labels[..., None], torch.ones(tasks, queries, 1)), labels


def error(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return calibration_errors(bin_gaps(logits, labels).numpy()).mean(dtype=np.float64)


def test_it_is_the_papers_formula_over_the_queries_of_all_tasks():
    logits, labels = answers()
    confidence, answer = (x.flatten().numpy() for x in logits.double().softmax(-1).max(-1))
    right, expected = answer == labels.flatten().numpy(), 0.0
    for low, high in zip(np.arange(BINS) / BINS, np.arange(1, BINS + 1) / BINS, strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    assert expected > 0.02
    assert error(logits, labels) == pytest.approx(expected, rel=1e-5)


def test_certain_and_right_has_no_error_and_certain_and_wrong_the_largest():
    labels = torch.arange(3).expand(4, -1)
    certain = torch.eye(3).expand(4, -1, -1) * 1000
    assert error(certain, labels) == 0
    assert error(certain, (labels + 1) % 3) == 1


def test_equal_logits_of_which_one_in_ways_is_right_have_no_error():
    labels = torch.arange(4).expand(5, -1)
    assert error(torch.zeros(5, 4, 4), labels) == pytest.approx(0, abs=1e-7)


def test_confidences_below_and_above_a_fifteenth_are_in_bins_of_their_own():
    logits = torch.zeros(1, 2, 30)  # of confidence 1 / 30
    logits[0, 1, 0] = np.log(29 / 9)  # 1 / 10
    assert error(logits, torch.tensor([[0, 1]])) == pytest.approx((29 / 30 + 1 / 10) / 2)
