"""The screenshots in docs/ show no drawing of Omniglot."""

from pathlib import Path

import pytest
from finished_pipeline import Pipeline
from PIL import Image
from playwright.sync_api import Browser

from metaglot.core.common.errors import UserError
from stages import report as stage
from stages.support import paths
from tools.screenshots import ONLY, main, reduce_colours, screenshot_report

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a finished pipeline and its report."""
    monkeypatch.chdir(tmp_path)
    Pipeline(tests=40).write()
    stage.write()
    return tmp_path


def test_only_the_sections_that_are_asked_for_are_left_and_no_drawing(browser: Browser, folder: Path):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((folder / paths.REPORT / "index.html").as_uri())
    assert page.locator("img").count() > 0
    page.evaluate(ONLY, ["#scores", "#gallery"])
    assert [section.get_attribute("id") for section in page.locator("section").all()] == ["scores", "gallery"]
    assert page.locator("img, header").count() == 0 and page.locator("#scores .chart").count() == 1
    context.close()


def test_a_picture_keeps_the_colour_of_every_algorithm(browser: Browser, folder: Path):
    whole = folder / "whole.png"
    screenshot_report(browser, paths.REPORT / "index.html", "light", ("header", "#scores"), whole)
    small = folder / "small.png"
    small.write_bytes(whole.read_bytes())
    reduce_colours(small)
    assert small.stat().st_size < whole.stat().st_size
    with Image.open(small) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(10**6)}
    for series in ((0x0B, 0x62, 0xC4), (0xC2, 0x50, 0x0A)):  # style.css
        assert min(max(abs(a - b) for a, b in zip(series, colour, strict=True)) for colour in colours) < 16


def test_without_a_report_there_is_nothing_to_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="index.html is missing: run `dvc repro`"):
        main(tmp_path)
