from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tools.browser import MISSING, chromium, find_chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, or a skip that says that there is none."""
    if find_chromium() is None:
        pytest.skip(MISSING)
    with chromium() as running:
        yield running
