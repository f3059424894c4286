import numpy as np
import pytest

from metaglot.evaluation.integer_arrays import smallest_integers


@pytest.mark.parametrize(
    ("dtype", "largest", "kept"), [(np.uint8, 255, np.uint8), (np.uint8, 256, np.int32), (np.int16, 40_000, np.int32)]
)
def test_no_number_wraps(dtype: type, largest: int, kept: type) -> None:
    numbers = np.array([0, largest])
    assert smallest_integers(numbers, dtype).tolist() == [0, largest]
    assert smallest_integers(numbers, dtype).dtype == kept
