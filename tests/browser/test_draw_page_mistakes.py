"""The draw page's sentence for each mistake, in Chromium."""

import json
import re
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from draw_page import PAGE, change, computed, draw, from_glyphs
from finished_pipeline import Pipeline
from offline_page import opened
from playwright.sync_api import Browser, Page

from stages import report

pytestmark = pytest.mark.slow


def drawings(*classes: Any) -> str:
    return json.dumps({"format": "metaglot drawings", "version": 1, "classes": classes})


A, B = ({"label": label, "support": [[[[0, 0], [9, 9]]]], "queries": [[[[0, 9]]]]} for label in "AB")


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("no JSON", "This file is not JSON, so the draw page did not export it."),
        ("{}", "This file is not one that the draw page exported."),
        ("null", "This file is not one that the draw page exported."),
        (drawings(A), "The file has 1 classes; the page takes 2 to 5."),
        (drawings(A, A), "The file has two classes with one label."),
        (drawings(A, B | {"support": [[]]}), "A drawing of B is blank: draw it, or leave it out."),
        (drawings(A, B | {"support": [[[[None, 1]]]]}), "A drawing of B has a point that is not two numbers."),
        (
            drawings(A, B | {"support": [[[[float("nan"), 1]]]]}),
            "This file is not JSON, so the draw page did not export it.",
        ),
        (drawings(A, B | {"support": 7}), "B has no list of drawings; the page takes 1 to 5."),
        (drawings(A, None), "The file has a class without a label of 1 to 100 letters."),
    ],
)
def test_a_file_that_is_not_ours_is_one_sentence(draw_page: Page, tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "drawings.json"
    path.write_text(text)
    draw_page.locator("#import").set_input_files(path)
    draw_page.wait_for_function("document.getElementById('file-problem').textContent")
    assert draw_page.locator("#file-problem").inner_text() == sentence


def test_what_is_missing_is_one_sentence(draw_page: Page) -> None:
    problem = computed(draw_page).locator("#problem")
    assert problem.inner_text().startswith("Nothing is drawn yet: draw")
    draw(draw_page, [(0.2, 0.2), (0.8, 0.8)])
    assert computed(draw_page).locator("#problem").inner_text().startswith("Only one class has a drawing: draw")
    change(from_glyphs(draw_page), "rate", "fast")
    assert problem.inner_text() == "The inner rate is a number from 0 to 10."
    assert draw_page.locator("#results").is_hidden()


def test_an_adaptation_that_diverges_is_one_sentence(draw_page: Page) -> None:
    draw_page.evaluate("drawPage.data.networks[0].parameters['classifier.bias'][0] = NaN")
    shown = from_glyphs(draw_page).locator("#answers").inner_text()
    assert "The adaptation diverged: its numbers are not finite." in shown


DATA, WEIGHTS = r'(?<=id="data">).*?(?=</script>)', r'(?<="weights":")[^"]{400}'


@pytest.mark.parametrize(
    "part, instead, sentence",
    [
        (DATA, "", "This page has no trained network in it."),
        (DATA, "{}", "This page has no trained network in it."),
        (DATA, "null", "This page has no trained network in it."),
        (DATA, "not JSON", "This page has no trained network in it."),
        (WEIGHTS, "", "The weights of MAML · seed 42 are incomplete"),
    ],
)
def test_a_page_without_its_weights_is_one_sentence(
    browser: Browser, trained_folder: Path, tmp_path: Path, part: str, instead: str, sentence: str
) -> None:
    path = tmp_path / "draw.html"
    path.write_text(re.sub(part, instead, (trained_folder / PAGE).read_text(), count=1))
    with opened(browser, path) as page:
        assert page.locator("#fatal").inner_text().startswith(sentence)
        assert page.locator("#tool").is_hidden()


def test_a_report_without_such_a_network_says_so(browser: Browser, tmp_path: Path) -> None:
    with chdir(tmp_path):
        Pipeline(model="conv", tests=40).write()
        report.write()
    with opened(browser, tmp_path / PAGE) as page:
        assert "Left out: networks of the model conv." in page.locator("#fatal").inner_text()


def test_a_label_from_a_file_runs_nothing(draw_page: Page, tmp_path: Path) -> None:
    label = "<img src=x onerror=\"document.title='taken'\">"
    path = tmp_path / "drawings.json"
    path.write_text(drawings(A, B | {"label": label}))
    draw_page.locator("#import").set_input_files(path)
    draw_page.wait_for_selector("#answers article")
    assert label in draw_page.locator("#grid").inner_text() and draw_page.title() != "taken"
