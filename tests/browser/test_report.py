"""The report's page as Chromium shows it, opened from disk without a network."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import chdir, suppress
from pathlib import Path

import pytest
from finished_pipeline import LABELS, Pipeline
from offline_page import opened
from playwright.sync_api import Browser, Locator, Page, TimeoutError, expect

from metaglot.report.tables import main_table
from stages import report
from stages.support import paths

pytestmark = pytest.mark.slow

PROVOKING = "<img src=x onerror=\"document.title='taken'\">"
CHART = ".chart[data-drawn] > svg"
CUT_OFF = """charts => charts.flatMap(chart => {
    const frame = chart.getBoundingClientRect()
    const outside = box => box.left < frame.left - 1 || box.right > frame.right + 1
    const texts = [...chart.querySelectorAll("text")]
    return texts.filter(text => outside(text.getBoundingClientRect())).map(text => text.textContent)
})"""
Written = Callable[..., Path]


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """A function that writes the report of a finished pipeline, and returns its page."""

    def write(**options) -> Path:
        folder = tmp_path_factory.mktemp("report")
        with chdir(folder):
            Pipeline(**options).write()
            report.write()
        return folder / paths.REPORT / "index.html"

    return write


@pytest.fixture(scope="session")
def three_seeds(written: Written) -> Path:
    return written(seeds=(42, 43, 44))


@pytest.fixture
def page(browser: Browser, three_seeds: Path) -> Iterator[Page]:
    """The page of three seeds, opened anew."""
    with opened(browser, three_seeds) as page:
        yield page


def luminance(colour: str) -> float:
    """Of `rgb(r, g, b)`, from 0 (black) to 1, as WCAG 2 defines it."""
    parts = [float(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_and_is_complete(browser: Browser, three_seeds: Path, width: int, scheme: str):
    with opened(browser, three_seeds, width, scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.eval_on_selector_all("details", "all => all.forEach(details => details.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        figures = page.locator(CHART)
        assert figures.count() == 11
        for number in range(figures.count()):
            box = figures.nth(number).bounding_box()
            assert box is not None and box["width"] > 250 and box["x"] + box["width"] <= width
        assert page.locator("img").count() > 600
        assert page.eval_on_selector_all("img", "all => all.every(image => image.naturalWidth > 0)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_and_curves_can_be_read(browser: Browser, three_seeds: Path, scheme: str):
    with opened(browser, three_seeds, scheme=scheme) as page:
        colour = "(element, name) => getComputedStyle(element)[name]"
        paper = page.eval_on_selector("body", colour, "backgroundColor")
        assert (luminance(paper) > 0.5) == (scheme == "light")
        for selector in ("body", ".notes", "a", ".verdict", "tr.printed td", ".series-0", ".series-1"):
            assert contrast(page.locator(selector).first.evaluate(colour, "color"), paper) >= 4.5, selector
        for part, name, least in (("text", "fill", 4.5), ("path[stroke*=series-0]", "stroke", 3)):
            drawn = page.locator(f"#figure-learning-accuracy {part}").first.evaluate(colour, name)
            assert contrast(drawn, paper) >= least, part


def test_the_table_is_that_of_comparison_json(page: Page, three_seeds: Path):
    compared = json.loads(three_seeds.with_name("comparison.json").read_text())
    rows = page.locator("header table tbody tr")
    shown = [rows.nth(i).locator("th, td").all_text_contents() for i in range(rows.count())]
    assert shown == main_table(compared).rows
    assert page.locator("h1").text_content() == compared["question"]
    assert page.locator(".answer").text_content() == compared["answer"]
    verdicts = page.locator(".verdict").all_text_contents()
    assert verdicts == [claim["verdict"] for claim in compared["claims"]]


def test_the_first_screen_holds_question_answer_and_table(page: Page):
    for selector in ("h1", ".answer", "header table"):
        box = page.locator(selector).bounding_box()
        assert box is not None and box["y"] + box["height"] <= 900


TIP = "#vg-tooltip-element.visible"
LINES = ".mark-line path"


def point_at(page: Page, mark: Locator) -> None:
    """Point at a mark until its values are there: a chart that is still being drawn misses a single movement."""
    for _ in range(20):
        page.mouse.move(5, 5)
        mark.hover(force=True)
        with suppress(TimeoutError):
            return page.locator(TIP).wait_for(timeout=1500)


def test_the_nearest_point_shows_its_run_and_exact_values(page: Page):
    chart = page.locator("#figure-learning-accuracy .chart")
    point = chart.locator(".mark-symbol path").nth(10)
    shown = page.locator(TIP)
    point_at(page, point)
    table = page.locator("#figure-learning-accuracy tbody tr").nth(10).locator("th, td").all_text_contents()
    shown.wait_for()
    assert (shown.locator("h2").text_content() or "").startswith("MAML, mean of 3 seeds")
    assert shown.locator(".value").all_text_contents() == table[:2]
    page.mouse.move(5, 5)
    shown.wait_for(state="hidden")


def test_a_finger_sees_exact_values_and_scrolls_the_page(browser: Browser, three_seeds: Path):
    with opened(browser, three_seeds, 390, has_touch=True, is_mobile=True) as page:
        chart = page.locator("#figure-scores .chart")
        chart.scroll_into_view_if_needed()
        chart.locator(".mark-symbol path").first.tap(force=True)
        assert re.fullmatch(r"9\d\.\d\d%", page.locator(f"{TIP} .value").text_content() or "")
        curves = page.locator("#figure-learning-accuracy .chart")
        curves.scroll_into_view_if_needed()
        curves.tap()
        assert page.locator(f"{TIP} .value").count() == 2
        assert curves.locator("> svg").evaluate("svg => getComputedStyle(svg).touchAction") == "pan-y pinch-zoom"


def test_switches_hide_an_algorithm_or_a_run_in_all_charts(page: Page):
    curves, dots = (page.locator(f"#figure-{name}") for name in ("adaptation", "scores"))
    assert curves.locator(f"{LINES}[stroke*=series-0]").count() == 4
    page.locator("#figure-scores .switches").get_by_label("MAML", exact=True).uncheck()
    expect(curves.locator(f"{LINES}[stroke*=series-0]")).to_have_count(0)
    expect(curves.locator(f"{LINES}[stroke*=series-1]")).to_have_count(4)
    assert not curves.locator(".switches").get_by_label("MAML", exact=True).is_checked()
    curves.locator(".switches").get_by_label("MAML", exact=True).check()
    expect(curves.locator(f"{LINES}[stroke*=series-0]")).to_have_count(4)
    page.get_by_text("Show and hide single runs").click()
    page.get_by_label("MAML · seed 43", exact=True).first.uncheck()
    expect(curves.locator(f"{LINES}[stroke*=series-0]")).to_have_count(3)
    expect(dots.locator(".mark-symbol path[fill*=series-0]")).to_have_count(2)


def test_a_chart_is_zoomed_by_button_and_wheel_and_the_wheel_alone_scrolls(page: Page):
    figure = page.locator("#figure-learning-loss")
    figure.scroll_into_view_if_needed()
    start = figure.locator(".role-axis-label").first.get_by_text("0", exact=True)
    expect(start).to_have_count(1)
    figure.get_by_label("Zoom in").click()
    expect(start).to_have_count(0)
    figure.get_by_label("Show everything").click()
    expect(start).to_have_count(1)
    figure.locator(".chart").hover()
    page.keyboard.down("Control")
    page.mouse.wheel(0, -600)
    page.keyboard.up("Control")
    expect(start).to_have_count(0)
    figure.locator(".chart").dblclick()
    expect(start).to_have_count(1)
    before = page.evaluate("scrollY")
    page.mouse.wheel(0, 200)
    page.wait_for_timeout(300)
    assert page.evaluate("scrollY") != before and start.count() == 1


def test_colours_follow_the_reader_s_setting_at_once(page: Page):
    line = page.locator(f"#figure-adaptation {LINES}[stroke*=series-0]").first
    light = line.evaluate("element => getComputedStyle(element).stroke")
    page.emulate_media(color_scheme="dark")
    assert line.evaluate("element => getComputedStyle(element).stroke") != light


def test_without_scripts_the_numbers_of_charts_are_in_words_and_tables(browser: Browser, three_seeds: Path):
    with opened(browser, three_seeds, java_script_enabled=False) as page:
        assert page.get_by_text("The charts need JavaScript").is_visible()
        assert not page.locator(".switches, .zoom").first.is_visible()
        page.locator("#figure-adaptation summary").click()
        assert page.locator("#figure-adaptation tbody tr").count() == 11


def test_an_algorithm_has_one_colour_everywhere(page: Page):
    mark = page.locator(".legend .series-1").first.evaluate("element => getComputedStyle(element).color")
    for figure in ("learning-accuracy", "adaptation", "gradients-cosine"):
        line = page.locator(f"#figure-{figure} path[stroke*=series-1]").first
        assert line.evaluate("element => getComputedStyle(element).stroke") == mark


def test_a_banner_is_the_first_thing_on_glyphs(browser: Browser, written: Written):
    with opened(browser, written(dataset="glyphs (synthetic)"), 390) as page:
        banner = page.locator(".banner").bounding_box()
        assert banner is not None and banner["y"] == 0
        assert page.locator("#published, .printed").count() == 0


def test_text_from_files_runs_nothing(browser: Browser, written: Written):
    with opened(browser, written(labels={"maml": PROVOKING}, devices=[PROVOKING]), 390) as page:
        assert PROVOKING in (page.locator("header table").text_content() or "")
        assert page.title() != "taken"
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_algorithms_fit_and_can_be_told_apart(browser: Browser, written: Written, scheme: str):
    path = written(skills=dict.fromkeys(LABELS, 0.9) | {"scratch": 0.4}, tests=50, serial=False)
    with opened(browser, path, 390, scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        paper = page.eval_on_selector("body", "element => getComputedStyle(element).backgroundColor")
        marks = [page.locator(f".legend .series-{place}").first for place in range(len(LABELS))]
        colours = [mark.evaluate("element => getComputedStyle(element).color") for mark in marks]
        assert len(set(colours)) == len(LABELS)
        assert page.eval_on_selector_all(CHART, CUT_OFF) == []
        assert min(contrast(colour, paper) for colour in colours) >= 4.5


def test_a_hundred_runs_stay_readable(browser: Browser, written: Written):
    with opened(browser, written(seeds=tuple(range(50)), tests=50), 390) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        heights = [box["height"] for svg in page.locator(CHART).all() if (box := svg.bounding_box())]
        assert len(heights) == 11 and max(heights) < 900
