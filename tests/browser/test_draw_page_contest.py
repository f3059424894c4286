"""The reader against the networks on the draw page: the same drawings, the same count."""

import json
import re
from pathlib import Path

import pytest
from draw_page import predicted
from playwright.sync_api import Page

pytestmark = pytest.mark.slow


def begin(page: Page, support: int = 2) -> list[dict]:
    """A new task, as the page drew it."""
    page.locator("#contest-support").select_option(str(support))
    page.locator("#new-contest").click()
    task: list[dict] = page.evaluate("contest.drawn")
    return task


def answer(page: Page, label: str) -> dict[str, str]:
    """What the page says of each player."""
    page.locator("#contest button", has_text=label).click()
    lines = page.locator("#contest-answers li").all_inner_texts()
    return dict(line.split(": ", 1) for line in lines)


def asked(task: list[dict]) -> str:
    (label,) = (drawn["label"] for drawn in task if drawn["queries"])
    return str(label)


def test_both_are_counted_over_tasks_and_right_and_wrong_answers_are_told_apart(draw_page: Page) -> None:
    right = asked(begin(draw_page))
    answers = answer(draw_page, right)
    assert answers["You"] == f"{right}. 1 of 1 right so far (95% interval 21% to 100%)."
    assert draw_page.locator("#contest-answers p").inner_text() == f"It is {right}."
    right = asked(begin(draw_page))
    wrong = next(label for label in "ABCDE" if label != right)
    assert answer(draw_page, wrong)["You"].startswith(f"{wrong}. 1 of 2 right so far (95% interval ")
    assert draw_page.locator("#contest button:enabled").count() == 0


def test_a_network_answers_as_the_predictor_does(
    draw_page: Page, trained_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    right = 0
    for number in range(1, 5):
        task = begin(draw_page)
        _, answer_text = answer(draw_page, "A").values()
        path = tmp_path / "drawings.json"
        path.write_text(json.dumps({"format": "metaglot drawings", "version": 1, "classes": task}))
        ((_, row),) = predicted(trained_folder, path, capsys).items()
        expected = "ABCDE"[row.index(max(row))]
        right += expected == asked(task)
        assert re.match(rf"{expected}\. {right} of {number} right so far", answer_text)


def test_every_class_has_other_drawings_than_the_query_and_as_many_as_were_chosen(draw_page: Page) -> None:
    for support in (1, 5):
        task = begin(draw_page, support)
        assert [len(drawn["support"]) for drawn in task] == [support] * 5
        assert sum(len(drawn["queries"]) for drawn in task) == 1
        drawings = [json.dumps(strokes) for drawn in task for strokes in drawn["support"] + drawn["queries"]]
        assert len(set(drawings)) == len(drawings)
