"""A part of a split takes a count or a fraction; counts that a folder does not have become proportions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglot.core.common.errors import UserError
from metaglot.core.tasks.split_sizes import fitted_sizes, group_split, part_sizes

DEFAULT = (1100, 100, 423)


@pytest.mark.parametrize(
    ("total", "shares", "sizes"),
    [
        (1623, DEFAULT, [1100, 100, 423]),
        (10, (0.6, 0.2, 0.2), [6, 2, 2]),
        (7, (0.5, 0.25, 0.25), [4, 1, 2]),
        (5, (0.5, 0.25, 0.25), [3, 1, 1]),
        (50, (0.6, 5, 0.2), [30, 5, 10]),
    ],
)
def test_counts_stay_and_fractions_are_of_all(total: int, shares: tuple[float, ...], sizes: list[int]) -> None:
    assert part_sizes(total, shares) == sizes


@given(st.integers(3, 10_000), st.integers(1, 98), st.integers(1, 98))
def test_fractions_that_add_up_to_one_leave_nothing_over(total: int, a: int, b: int) -> None:
    first, second = sorted({a, b} | {a % 98 + 1})[:2]
    shares = (first / 100, (second - first) / 100, (100 - second) / 100)
    assert sum(part_sizes(total, shares)) == total


def test_counts_that_do_not_fit_become_proportions_and_every_part_has_enough_for_a_task() -> None:
    assert fitted_sizes(500, DEFAULT, 5) == [339, 31, 130]
    assert fitted_sizes(60, DEFAULT, 5) == [39, 5, 16]
    assert fitted_sizes(2000, DEFAULT, 5) == [1100, 100, 423]


@pytest.mark.parametrize(
    ("total", "shares", "message"),
    [
        (14, DEFAULT, "14 classes are too few: each of 3 parts of the split needs 5 or more"),
        (60, (0.9, 0.05, 0.05), "the split of 60 classes needs 5 or more in each part, and would have train 54, "),
        (60, (0.9, 20, 5), "would have train 54, validation 20, test 5"),
    ],
)
def test_too_few_classes_are_refused_with_the_numbers(total: int, shares: tuple[float, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        fitted_sizes(total, shares, 5)


def names(groups: int, classes: int) -> list[str]:
    return [f"group{group:02}/class{number}" for group in range(groups) for number in range(classes)]


def test_a_group_split_parts_no_group() -> None:
    split = group_split(names(10, 4), 42, DEFAULT, 4)
    held = {part: {name.split("/")[0] for name in of_part} for part, of_part in split.items()}
    assert [len(groups) for groups in held.values()] == [6, 1, 3]
    assert sum(len(of_part) for of_part in split.values()) == 40 and len(set.union(*held.values())) == 10
    assert group_split(names(10, 4), 43, DEFAULT, 4) != split


def test_too_few_groups_or_classes_in_them_are_refused_with_the_numbers() -> None:
    with pytest.raises(UserError, match="2 groups are too few: each of 3 parts of the split needs 1 or more"):
        group_split(names(2, 9), 42, DEFAULT, 5)
    with pytest.raises(UserError, match="validation has 4 classes, in 1 of 10 groups, and needs 5 or more"):
        group_split(names(10, 4), 42, DEFAULT, 5)
