"""The expected calibration error (Guo et al. 2017, "On Calibration of Modern Neural Networks", equation 3)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BINS = 15  # as in the paper


def bin_gaps(logits: Tensor, labels: Tensor) -> Tensor:
    """Each task's sum of confidence minus correctness in each bin of confidence, over its queries, [tasks, BINS].

    The sum is divided by the number of all its queries, m. logits [tasks, m, ways]; labels [tasks, m]. The confidence
    is the largest probability.
    """
    confidence, answer = logits.softmax(-1).max(-1)
    bins = (confidence * BINS).ceil().long().clamp(1, BINS) - 1
    gaps = confidence - (answer == labels).to(confidence.dtype)
    return torch.zeros(len(logits), BINS, dtype=gaps.dtype, device=gaps.device).scatter_add_(1, bins, gaps) / len(
        labels[0]
    )


def calibration_errors(gaps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each task's part in the error over the queries of all tasks, [tasks]; their mean is that error.

    gaps [tasks, BINS]: of `bin_gaps`. The error sums the absolute values of the bins' gaps.
    """
    signs = np.sign(gaps.sum(0, dtype=np.float64))
    return (gaps * signs).sum(1).astype(np.float32)
