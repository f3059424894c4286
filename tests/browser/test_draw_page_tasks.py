"""The draw page's tasks: labels that differ, and a contest of glyphs."""

import pytest
from offline_page import with_scripts
from playwright.sync_api import Browser

from metaglot.report.draw_page.bundle import bundle

pytestmark = pytest.mark.slow

LABELS = """(letters) => resizeTask(letters.map((label) => ({label, support: [], queries: []})), 5, 1, 1)
    .map(({label}) => label)"""
QUERIES = """(ways) => randomTask(Array.from({length: 20}, () => [[[[0, 0]]], [[[1, 1]]]]), ways, 1)
    .map(({queries}) => queries.length)"""


@pytest.mark.parametrize("letters", ["", "BC", "CDE", "ABCDE", "EDCBA"])
def test_a_task_that_grows_has_no_label_twice(browser: Browser, letters: str) -> None:
    with with_scripts(browser, bundle("drawn_task.js")) as page:
        labels = page.evaluate(LABELS, list(letters))
    assert len(set(labels)) == 5 and labels[: len(letters)] == list(letters)


@pytest.mark.parametrize(("ways", "classes"), [(5, 5), (50, 20)])
def test_a_contest_has_one_query_however_many_classes_the_network_has(
    browser: Browser, ways: int, classes: int
) -> None:
    with with_scripts(browser, bundle("contest_task.js")) as page:
        for _ in range(20):
            counts = page.evaluate(QUERIES, ways)
            assert len(counts) == classes and sum(counts) == 1
