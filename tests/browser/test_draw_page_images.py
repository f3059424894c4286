"""The images that the draw page makes of strokes, in Chromium, against those that the predictor's network sees."""

import json
from collections.abc import Iterator

import numpy as np
import pytest
from offline_page import with_scripts
from playwright.sync_api import Browser, Page

from metaglot.datasets import synthetic_glyphs
from metaglot.inference.strokes import PAPER, draw_strokes
from metaglot.inference.user_images import load_images
from metaglot.report.draw_page.bundle import bundle

pytestmark = pytest.mark.slow

Strokes = list[list[list[float]]]
COMPUTE = """([text, size]) => JSON.parse(text).map((strokes) => {
    const levels = drawStrokes(strokes)
    return [[...levels], [...resize(levels, PAPER, size)]]
})"""
TURN = "([strokes, quarters]) => [...resize(drawStrokes(turn(strokes, quarters)), PAPER, 28)]"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with with_scripts(browser, bundle("strokes.js") + bundle("resize.js")) as page:
        yield page


def drawings() -> list[Strokes]:
    """Glyphs; lines of a trembling hand in odd units; a dot; and a square filled with ink."""
    random = np.random.default_rng(0)
    glyphs = [drawing for hands in synthetic_glyphs.characters(5, (9, 9)) for drawing in hands[:4]]
    walks = [[random.normal(0, 31.7, (30, 2)).cumsum(0) for _ in range(2)] for _ in range(20)]
    scribble = [[[x, y] for x in (0.0, 90.0)] for y in range(0, 91, 3)]
    return [[stroke.tolist() for stroke in strokes] for strokes in (*glyphs, *walks)] + [[[[3, 7]]], scribble]


def network_s(strokes: Strokes, size: int) -> np.ndarray:
    """255 = paper, as the page has it."""
    (image,) = load_images([draw_strokes([[(x, y) for x, y in stroke] for stroke in strokes])], size)
    return 255 - np.rint(image.numpy() * 255)


@pytest.mark.parametrize("size", [28, 14, 20])
def test_every_pixel_is_that_of_the_predictor(page: Page, size: int) -> None:
    made = page.evaluate(COMPUTE, [json.dumps(drawings()), size])
    for strokes, (levels, small) in zip(drawings(), made, strict=True):
        expected = draw_strokes([[(x, y) for x, y in stroke] for stroke in strokes])
        assert np.array_equal(np.reshape(levels, (PAPER, PAPER)), expected)
        assert np.array_equal(np.reshape(small, (size, size)), network_s(strokes, size))


def test_a_quarter_turn_is_anticlockwise_as_in_training(page: Page) -> None:
    strokes = drawings()[0]
    images = [np.reshape(page.evaluate(TURN, [strokes, quarters]), (28, 28)) for quarters in range(4)]
    for quarters in range(1, 4):
        assert np.abs(np.rot90(images[0], quarters).astype(int) - images[quarters]).mean() < 2
        assert np.abs(images[0].astype(int) - images[quarters]).mean() > 10


def test_without_a_stroke_there_is_no_image(page: Page) -> None:
    assert page.evaluate("[drawStrokes([]), drawStrokes([[]])]") == [None, None]
