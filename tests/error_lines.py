"""Errors that the user can fix, which are one line."""

from collections.abc import Callable

import pytest

from metaglot.core.common.errors import UserError


def error_line(call: Callable[[], object]) -> str:
    """The one line with which a call is refused."""
    with pytest.raises(UserError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)
