"""The draw page in Chromium: opened from disk, drawn on, read."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from stages import predict
from stages.support import paths

PAGE = paths.REPORT / "draw.html"


def computed(page: Page) -> Page:
    page.wait_for_selector("body[aria-busy=false]")
    return page


def change(page: Page, name: str, value: str) -> Page:
    """Set a field, and wait for the answers."""
    field = page.locator(f"#{name}")
    field.select_option(value) if field.evaluate("element => element.tagName") == "SELECT" else field.fill(value)
    return computed(page)


def draw(page: Page, points: list[tuple[float, float]]) -> None:
    """One stroke by mouse; points from 0 to 1."""
    box = page.locator("#pad").bounding_box()
    assert box is not None
    for number, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if number == 0:
            page.mouse.down()
    page.mouse.up()


def from_glyphs(page: Page) -> Page:
    page.locator("#fill").click()
    return computed(page)


def drawn(page: Page) -> Page:
    """A task of two classes, two drawings each and a query each, drawn by mouse: crosses and angles."""
    for name, value in (("classes", "2"), ("support", "2"), ("queries", "1")):
        change(page, name, value)
    for number in range(3):
        wobble = 0.03 * number
        draw(page, [(0.2, 0.5 + wobble), (0.8, 0.5)])
        draw(page, [(0.5, 0.2), (0.5 + wobble, 0.8)])
        page.locator("#next").click()
    for number in range(3):
        draw(page, [(0.2, 0.2 + 0.03 * number), (0.2, 0.8), (0.7, 0.8 - 0.04 * number)])
        page.locator("#next").click()
    return computed(page)


def probabilities(page: Page) -> dict[str, list[float]]:
    """By query, of the first network."""
    table = page.locator("#answers article table").first
    rows = table.locator("tbody tr").all()
    return {row.locator("th").inner_text(): [float(p) for p in row.locator(".bar").all_inner_texts()] for row in rows}


def exported(page: Page, folder: Path) -> Path:
    with page.expect_download() as download:
        page.locator("#export").click()
    path = folder / "drawings.json"
    download.value.save_as(path)
    return path


def predicted(
    folder: Path, drawings: Path, capsys: pytest.CaptureFixture[str], **options: Any
) -> dict[str, list[float]]:
    capsys.readouterr()
    predict.main(folder / paths.model("maml", 42), drawings, as_json=True, **options)
    rows = json.loads(capsys.readouterr().out)
    return {row["file"]: list(row["probabilities"].values()) for row in rows}
