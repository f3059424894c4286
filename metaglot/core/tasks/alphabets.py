"""The alphabets that the characters belong to, for tasks whose characters are all from one of them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from metaglot.core.common.errors import UserError

Ints = NDArray[np.int64]


class Alphabets:
    """Which characters each alphabet has."""

    def __init__(self, of_characters: Sequence[str]):
        """of_characters: the name of each character's alphabet."""
        self.names, numbers, self.sizes = np.unique(of_characters, return_inverse=True, return_counts=True)
        self.characters = numbers.argsort(kind="stable")  # alphabet after alphabet
        self.starts = self.sizes.cumsum() - self.sizes

    def too_small(self, ways: int) -> list[str]:
        """The alphabets that have fewer characters than a task."""
        return self.names[self.sizes < ways].tolist()

    def sample(self, pick: NDArray[np.float64], uniform: NDArray[np.float64]) -> Ints:
        """Characters of one alphabet a row, each of the alphabets with enough characters as likely.

        pick [rows] in [0, 1): which alphabet. uniform [rows, ways] in [0, 1): which of its characters.
        """
        ways = uniform.shape[1]
        large = np.flatnonzero(self.sizes >= ways)
        if not len(large):
            raise UserError(
                f"tasks of {ways} ways from one alphabet need an alphabet with as many characters, and the largest of "
                f"this part of the split has {self.sizes.max()}: split.kind background keeps alphabets whole"
            )
        chosen = large[(pick * len(large)).astype(np.int64)]
        ranks = sample_without_replacement(uniform, self.sizes[chosen, None])
        return self.characters[self.starts[chosen, None] + ranks]


def sample_without_replacement(uniform: NDArray[np.float64], of: int | Ints) -> Ints:
    """Ordered draws without repeats from range(of), one a row: uniform [rows, draws] in [0, 1) -> [rows, draws].

    The i-th number picks among the of - i values that are left, each as likely: it is their rank, counted
    past the taken ones. of: a number, or one for each row, [rows, 1].
    """
    ranks = (uniform * (of - np.arange(uniform.shape[1]))).astype(np.int64)
    for i in range(1, ranks.shape[1]):
        taken = np.sort(ranks[:, :i], axis=1) - np.arange(i)
        ranks[:, i] += (taken <= ranks[:, i : i + 1]).sum(1)
    return ranks
