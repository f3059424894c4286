"""A headless Chromium driven by Playwright, and the steps through MLflow's pages to a comparison."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from metaglot.core.common.errors import UserError

NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = "no Chromium on PATH: apt-get install chromium"
# On the first visit MLflow asks for a view and opens its assistant; these values prevent both.
CHOICES = {"mlflow.workflowType_v1": '"machine_learning"', "mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true"}


def find_chromium() -> str | None:
    """The path of an installed Chromium, if there is one."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium; raises UserError if none is installed."""
    path = find_chromium()
    if path is None:
        raise UserError(MISSING)
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=as_root)
        yield browser
        browser.close()


@contextmanager
def open_experiment(browser: Browser, address: str, height: int = 2400, seconds: float = 30) -> Iterator[Page]:
    """The page of MLflow's first experiment, in the view for model training."""
    context = browser.new_context(viewport={"width": 1440, "height": height})
    context.set_default_timeout(1000 * seconds)
    for name, value in CHOICES.items():
        context.add_init_script(f"localStorage.setItem({name!r}, {value!r})")
    page = context.new_page()
    page.goto(f"{address}/#/experiments/1/runs?workflowType=machine_learning")
    yield page
    context.close()


def open_comparison(page: Page, *runs: str) -> Page:
    """Select runs by name, press Compare, and wait for the comparison."""
    for run in runs:
        row = page.locator("[row-id]", has=page.get_by_text(run, exact=True))
        row.first.locator("input[type=checkbox]").first.click()
    page.get_by_test_id("runs-compare-button").click()
    page.get_by_title("Plot chart").first.wait_for()
    return page


def add_plot_axis(page: Page, metric: str) -> None:
    """Add a metric to the axes of the comparison's plot; its list contains only the options in view."""
    page.locator("[role=combobox]").nth(1).click(force=True)
    page.locator("[class*=virtual-list-holder]:visible").first.hover()
    option = page.locator("[class*=select-item-option-content]").get_by_text(metric, exact=True)
    for _ in range(50):
        if option.count():
            break
        page.mouse.wheel(0, 150)
        page.wait_for_timeout(100)
    option.click()
    page.keyboard.press("Escape")
