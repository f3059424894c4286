"""How many random cases a property is tried on, and how often a fault is injected."""

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from scipy.stats import chisquare

LONG = bool(os.environ.get("METAGLOT_LONG"))  # `make test-faults` sets it
long = pytest.mark.skipif(not LONG, reason="takes long: make test-faults runs it")


def often(few: int, many: int) -> int:
    """So many rounds of a test: `many` in `make test-faults`."""
    return many if LONG else few


def examples(few: int) -> Any:
    """So many Hypothesis examples, always the same ones; METAGLOT_LONG=1 draws twenty times as many."""
    slow = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    number = often(few, 20 * few)
    return settings(max_examples=number, derandomize=True, database=None, deadline=None, suppress_health_check=slow)


def first_is_quick(*cases: Any) -> list[Any]:
    """Cases of one kind for `parametrize`: the first is a quick test, the others are slow tests."""
    values = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*values[0]), *(pytest.param(*case, marks=pytest.mark.slow) for case in values[1:])]


def uniform(counts: np.ndarray) -> bool:
    """Whether counts could be of a uniform draw, at a level that a fixed seed passes for good or not at all."""
    return chisquare(counts.ravel()).pvalue > 1e-3
