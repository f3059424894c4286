"""How many classes, or whole groups of them, each part of a split takes: counts, and fractions of all."""

from collections.abc import Sequence

import numpy as np

from metaglot.core.common.errors import UserError
from metaglot.core.tasks.class_splits import PARTS, Split, alphabet, random_split

Shares = Sequence[int | float]  # of training, validation and test: a count, or a fraction below 1


def part_sizes(total: int, shares: Shares) -> list[int]:
    """The size of each part. Fractions that add up to 1 leave nothing over."""
    ends = np.cumsum([share if isinstance(share, float) else 0 for share in shares])
    rounded = np.diff(np.floor(ends * total + 0.5).astype(int), prepend=0)
    return [int(n) if isinstance(share, float) else share for share, n in zip(shares, rounded, strict=True)]


def fitted_sizes(total: int, shares: Shares, least: int, noun: str = "classes") -> list[int]:
    """The size of each part, at least `least` each; counts that do not fit become proportions.

    Raises UserError, with the numbers, where there are too few.
    """
    if total < least * len(PARTS):
        raise UserError(f"{total} {noun} are too few: each of {len(PARTS)} parts of the split needs {least} or more")
    sizes = part_sizes(total, shares)
    if sum(sizes) > total and all(isinstance(share, int) for share in shares):
        sizes = _in_proportion(total, shares, least)
    text = ", ".join(f"{part} {size}" for part, size in zip(PARTS, sizes, strict=True))
    if sum(sizes) > total or min(sizes) < least:
        raise UserError(f"the split of {total} {noun} needs {least} or more in each part, and would have {text}")
    return sizes


def _in_proportion(total: int, counts: Shares, least: int) -> list[int]:
    """Sizes in the proportion of the counts; where a small part has too few, training gives some up."""
    _, validation, test = part_sizes(total, [count / sum(counts) for count in counts])
    validation, test = max(validation, least), max(test, least)
    return [total - validation - test, validation, test]


def group_split(names: list[str], seed: int, shares: Shares, least: int) -> Split:
    """Whole groups for each part: `shares` are counts or fractions of the groups. least: classes of each part."""
    groups = sorted({alphabet(name) for name in names})
    sizes = fitted_sizes(len(groups), shares, 1, "groups")
    split = {}
    for part, held in random_split(groups, seed, sizes).items():
        split[part] = [name for name in names if alphabet(name) in held]
        if len(split[part]) < least:
            where = f"{len(held)} of {len(groups)} groups"
            raise UserError(f"{part} has {len(split[part])} classes, in {where}, and needs {least} or more")
    return split
