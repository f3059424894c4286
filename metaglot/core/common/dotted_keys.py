"""A nested mapping as dotted keys and values, as `dvc exp run -S` writes them."""

from collections.abc import Iterator
from typing import Any


def flatten(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values by dotted key, in order; empty sections are omitted."""
    for key, value in values.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
