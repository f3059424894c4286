"""Drawing and computing on the draw page, in Chromium, from disk and off line."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from draw_page import PAGE, change, computed, drawn, exported, from_glyphs, predicted, probabilities
from offline_page import opened
from playwright.sync_api import Browser, Page

from metaglot.core.common.atomic_files import read_json
from stages.support import paths

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("make", [drawn, from_glyphs])
def test_the_command_line_gives_the_page_s_answers(
    draw_page: Page,
    trained_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Page], Page],
) -> None:
    path = exported(make(draw_page), tmp_path)
    for steps in (0, 1, 4):
        for protocol in ("inductive", "transductive"):
            change(draw_page, "steps", str(steps))
            change(draw_page, "protocol", protocol)
            expected = predicted(trained_folder, path, capsys, steps=steps, transductive=protocol == "transductive")
            shown = probabilities(draw_page)
            assert list(shown) == list(expected)
            for query, row in shown.items():
                assert row == pytest.approx(expected[query], abs=6e-5)
                assert row.index(max(row)) == expected[query].index(max(expected[query]))


def test_turned_drawings_are_saved_as_turned(
    draw_page: Page, trained_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = probabilities(from_glyphs(draw_page))
    change(draw_page, "turn", "1")
    expected = predicted(trained_folder, exported(draw_page, tmp_path), capsys, steps=1)
    for query, row in probabilities(draw_page).items():
        assert row == pytest.approx(expected[query], abs=6e-5)
    assert probabilities(draw_page) != before


def test_a_saved_task_is_the_same_when_it_is_loaded(draw_page: Page, tmp_path: Path) -> None:
    path, before = exported(drawn(draw_page), tmp_path), probabilities(draw_page)
    text = path.read_text()
    from_glyphs(draw_page)
    assert probabilities(draw_page) != before
    draw_page.locator("#import").set_input_files(path)
    draw_page.wait_for_function("drawPage.editor.task[0].queries.length === 1")
    assert probabilities(computed(draw_page)) == before
    assert exported(draw_page, tmp_path).read_text() == text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits(browser: Browser, trained_folder: Path, width: int, scheme: str) -> None:
    with opened(browser, trained_folder / PAGE, width, scheme) as page:
        change(from_glyphs(page), "classes", "5")
        from_glyphs(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = page.eval_on_selector("body", "element => getComputedStyle(element).backgroundColor")
        assert (paper == "rgb(255, 255, 255)") == (scheme == "light")


def test_with_step_0_nothing_moved_and_with_more_steps_the_support_loss_falls(draw_page: Page) -> None:
    change(from_glyphs(draw_page), "steps", "0")
    moved = draw_page.locator("#answers article table").nth(1)
    assert set(moved.locator("td").all_inner_texts()) == {"0.0%"}
    losses = []
    for steps in ("0", "2", "10"):
        text = change(draw_page, "steps", steps).locator("#answers p", has_text="Support loss").inner_text()
        losses.append(float(re.findall(r"[\d.]+(?=\.$)", text)[0]))
    assert losses == sorted(losses, reverse=True) and losses[0] > 1.2 * losses[2]
    assert "0.0%" not in moved.locator("td").all_inner_texts()


def test_the_reader_s_count_stands_beside_the_score_of_the_test(draw_page: Page, trained_folder: Path) -> None:
    shown = from_glyphs(draw_page).locator("#answers article").first.inner_text()
    right = sum(answer == "right" for answer in draw_page.locator("#answers td:last-child").all_inner_texts())
    assert f"Your task: {right} of 6 queries right (95% interval" in shown
    mean = read_json(trained_folder / paths.result("maml", 42))["inductive"]["accuracy"]["mean"]
    assert f"Its test: {100 * mean:.2f}% on 30 tasks after 1 step" in shown


def test_the_second_order_term_stands_among_the_recorded_ones(draw_page: Page, trained_folder: Path) -> None:
    rows = from_glyphs(draw_page).locator("#gradients tbody tr").all_inner_texts()
    recorded = list(csv.DictReader(io.StringIO((trained_folder / paths.alignment("maml", 42)).read_text())))
    whole = [float(row["cosine"]) for row in recorded if row["layer"] == "all"]
    assert len(rows) == 6 and rows[0].startswith("whole network")
    assert f"{min(whole):.3f} to {max(whole):.3f}" in rows[0] and re.search(rf"(all|of) {len(whole)}:", rows[0])


def test_another_rate_output_or_turn_gives_other_answers(draw_page: Page) -> None:
    seen = [probabilities(from_glyphs(draw_page))]
    for name, value in (("rate", "0.05"), ("first-output", "2"), ("turn", "2")):
        seen.append(probabilities(change(draw_page, name, value)))
        assert seen[-1] not in seen[:-1]


def test_with_the_keyboard_alone_a_task_of_glyphs_is_made(draw_page: Page) -> None:
    change(draw_page, "classes", "2")
    for place in draw_page.locator(".place").all():
        place.focus()
        draw_page.keyboard.press("Enter")
        name = draw_page.locator("#pad-title").inner_text()
        draw_page.locator("#glyph").focus()
        draw_page.keyboard.press("Home")
        if name.startswith("B"):
            draw_page.keyboard.press("ArrowDown")
        draw_page.locator("#put-glyph").focus()
        draw_page.keyboard.press("Enter")
    assert len(probabilities(computed(draw_page))) == 4


def test_a_finger_draws_too(browser: Browser, trained_folder: Path) -> None:
    with opened(browser, trained_folder / PAGE, 390, has_touch=True, is_mobile=True) as page:
        page.locator("#pad").tap()
        assert page.locator(".place").first.get_attribute("aria-label") == "A, drawing 1"
        page.locator("#undo").click()
        assert page.locator(".place").first.get_attribute("aria-label") == "A, drawing 1: empty"
