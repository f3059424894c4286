"""Labels are equal by value, from whatever array library they come, or are refused by their place."""

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
import pandas
import pytest
import torch
from error_lines import error_line
from hypothesis import given
from hypothesis import strategies as st

from metaglot.inference.labels import label_values


class Scalar:
    """An array's element as JAX and TensorFlow have it: without a hash, and NumPy's by `__array__`."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: Any):
        self.value = np.asarray(value)

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        return self.value


class Array(Scalar):
    def __iter__(self) -> Any:
        return map(Scalar, self.value)


class Point(NamedTuple):
    x: int
    y: int


NUMBERS: dict[str, Callable[[list[int]], Any]] = {
    "torch": torch.tensor,
    "torch, with a gradient": lambda values: torch.tensor(values, dtype=torch.float64, requires_grad=True),
    "list of torch scalars": lambda values: [torch.tensor(value) for value in values],
    "numpy": np.array,
    "list of numpy scalars": lambda values: [np.int16(value) for value in values],
    "numpy of objects": lambda values: np.array([torch.tensor(value) for value in values], object),
    "pandas": pandas.Series,
    "pandas, of categories": lambda values: pandas.Series(values).astype("category"),
    "an array with __array__ alone": Array,
    "list of its elements": lambda values: [Scalar(value) for value in values],
    "generator": lambda values: (value for value in values),
    "fractions": lambda values: [Fraction(2 * value, 2) for value in values],
    "of several types": lambda values: [(int, float, np.int8, torch.tensor)[n % 4](v) for n, v in enumerate(values)],
}


@pytest.mark.parametrize("form", NUMBERS)
@given(values=st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_numbers_of_any_library_are_equal_where_their_values_are(form: str, values: list[int]) -> None:
    assert label_values(NUMBERS[form](values)) == values
    assert len(dict.fromkeys(label_values(NUMBERS[form](values)))) == len(set(values))


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        (np.array(["a", "b", "a"]), ["a", "b", "a"]),
        ([np.str_("a"), "a"], ["a", "a"]),
        (pandas.Series(["ä", "b"], dtype="string"), ["ä", "b"]),
        (torch.tensor([True, False]), [True, False]),
        ([(torch.tensor(1), "x"), (np.int64(1), "x")], [(1, "x"), (1, "x")]),
        ((torch.tensor(1), torch.tensor(1)), [1, 1]),
        ([Point(1, 2), Point(1, 2)], [Point(1, 2), Point(1, 2)]),
        ("aab", ["a", "a", "b"]),
        ([], []),
    ],
)
def test_words_truths_and_tuples_are_labels_too(labels: Any, values: list[Any]) -> None:
    plain = label_values(labels)
    assert plain == values and [type(value) for value in plain] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.eye(3), "label 1 is a list .*; pass one value for each image, in one dimension"),
        (np.zeros((4, 1)), "label 1 is a list"),
        (["a", torch.tensor([0, 1])], "label 2 is a list"),
        (["a", {"b"}], "label 2 is a set, which cannot be compared by value"),
        ([("a", ["b"])], "label 1 is a tuple, which cannot be compared by value"),
        (torch.tensor(3), "labels: got the single value 3; pass one label for each image"),
        (7, "labels: got the single value 7"),
        ({0, 1}, "labels: got a set, which has no order"),
        ({"a": 1}, "labels: got a dict, which has no order"),
        (np.array([0, np.nan]), "label 2 is missing: it is nan"),
        (torch.tensor([0, 1, torch.nan]), "label 3 is missing: it is nan"),
        (pandas.Series(["a", None]), "label 2 is missing"),
        (pandas.Series([1, None], dtype="Int64"), "label 2 is missing: it is <NA>"),
        (pandas.to_datetime(pandas.Series(["2026-01-01", None])), "label 2 is missing: it is NaT"),
        ([("a", float("nan"))], "label 1 is missing"),
        (np.ma.masked_array([1, 2], [False, True]), "label 2 is missing: it is None"),
    ],
)
def test_labels_that_are_missing_or_have_parts_are_refused_by_their_place(labels: Any, message: str) -> None:
    assert re.search(message, error_line(lambda: label_values(labels)))
