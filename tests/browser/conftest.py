from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path

import pytest
from draw_page import PAGE
from offline_page import opened
from playwright.sync_api import Browser, Page
from trained_glyphs import trained

from stages import evaluate, report
from tools.browser import MISSING, chromium, find_chromium
from tools.mlflow_server import free_port, serve


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, or a skip that says that there is none."""
    if find_chromium() is None:
        pytest.skip(MISSING)
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def address(workspace: Path) -> Iterator[str]:
    """`mlflow ui` over the database of a file's workspace."""
    with serve(workspace, free_port(), "ui") as url:
        yield url


SETTING = {"task__ways": 5, "data__image_size": 28, "train__iterations": 60, "evaluate__tasks": 30}


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network that `train`, `evaluate` and `report` made."""
    folder = tmp_path_factory.mktemp("trained")
    trained(folder, **SETTING)
    with chdir(folder):
        evaluate.main("maml", 42)
        report.write()
    return folder


@pytest.fixture
def draw_page(browser: Browser, trained_folder: Path) -> Iterator[Page]:
    with opened(browser, trained_folder / PAGE) as page:
        yield page
