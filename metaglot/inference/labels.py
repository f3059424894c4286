"""The labels of a user's images as plain values, so that equal labels compare equal."""

from collections.abc import Hashable, Iterable, Mapping, Set
from typing import Any

import numpy as np

from metaglot.core.common.errors import UserError

Label = Hashable


def label_values(labels: Iterable[Any]) -> list[Label]:
    """One hashable value for each label, from a list or from an array of any library.

    Array elements are converted to Python values first, because equal elements may not compare or hash as equal.
    Raises UserError if a label is missing (None, NaN), has parts, or cannot be compared.
    """
    values = _plain(labels)
    if not isinstance(values, Iterable):
        raise UserError(f"labels: got the single value {values!r}; pass one label for each image")
    if isinstance(values, Set | Mapping):
        raise UserError(f"labels: got a {type(values).__name__}, which has no order; pass a list")
    return [_checked(_plain(value), number) for number, value in enumerate(values, start=1)]


def _plain(value: Any) -> Any:
    """An array or a scalar of NumPy, PyTorch, JAX, TensorFlow, pandas, ... as Python's own values."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if hasattr(value, "__array__"):
        return np.asarray(value).tolist()
    return tuple(map(_plain, value)) if type(value) is tuple else value


def _checked(value: Any, number: int) -> Label:
    if isinstance(value, list):
        raise UserError(f"label {number} is a list ({value!r:.60}); pass one value for each image, in one dimension")
    try:
        hash(value)
    except TypeError:
        raise UserError(f"label {number} is a {type(value).__name__}, which cannot be compared by value") from None
    if _is_missing(value):
        raise UserError(f"label {number} is missing: it is {value!r}")
    return value


def _is_missing(value: Any) -> bool:
    """None, NaN (which is not equal to itself), or pandas' NA (whose comparison has no truth value)."""
    if isinstance(value, tuple):
        return any(map(_is_missing, value))
    try:
        return value is None or bool(value != value)
    except TypeError:
        return True
