"""Splits are functions of their seed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metaglot.core.common.errors import UserError
from metaglot.core.tasks import class_splits

NAMES = [f"Alphabet_{a:02}/character{c:02}" for a in range(1, 9) for c in range(1, 4)]


@given(seed=st.integers(0, 2**32 - 1), counts=st.tuples(*[st.integers(1, 8)] * 3))
def test_a_random_split_deals_a_seeded_shuffle(seed: int, counts: tuple[int, int, int]) -> None:
    parts = class_splits.random_split(NAMES, seed, counts)
    assert tuple(map(len, parts.values())) == counts and tuple(parts) == class_splits.PARTS
    shuffled = sorted(NAMES)
    random.Random(seed).shuffle(shuffled)
    assert [name for part in parts.values() for name in part] == shuffled[: sum(counts)]


@pytest.mark.parametrize("counts", [(20, 3, 2), (0, 1, 1), (-1, 1, 1)])
def test_counts_that_cannot_be_met_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match=f"train {counts[0]} .* = {sum(counts)} characters; .* there are 24"):
        class_splits.random_split(NAMES, 0, counts)


def test_a_background_split_shares_no_alphabet_between_its_parts() -> None:
    evaluation = ["Other_1/character01", "Other_2/character01"]
    parts = class_splits.background_split(NAMES, evaluation, 42)
    alphabets = {part: {name.split("/")[0] for name in names} for part, names in parts.items()}
    assert len(alphabets["validation"]) == 5 and not alphabets["validation"] & alphabets["train"]
    assert sorted(parts["train"] + parts["validation"]) == NAMES and parts["test"] == evaluation
    assert parts == class_splits.background_split(NAMES, evaluation, 42)
    drawn = {tuple(class_splits.background_split(NAMES, evaluation, seed)["validation"]) for seed in range(10)}
    assert len(drawn) > 5


def test_too_few_background_alphabets_are_refused() -> None:
    with pytest.raises(UserError, match="holds out 5 background alphabets; there are 5"):
        class_splits.background_split(NAMES[:15], [], 42)
