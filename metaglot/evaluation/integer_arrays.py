"""Integers in as few bytes as a scores file needs."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def smallest_integers(numbers: NDArray[np.int64], dtype: type[np.integer[Any]]) -> NDArray[Any]:
    """The numbers, none below 0, as `dtype` if it holds them, else in 32 bits."""
    return numbers.astype(dtype if numbers.max() <= np.iinfo(dtype).max else np.int32)
