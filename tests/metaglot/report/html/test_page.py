"""The page as a document: what it may load, what is escaped, its ids and sections."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from finished_pipeline import CHARACTERS, LABELS, Finished, finished
from report_page import PAPER, Elements, page_of, specifications

from metaglot.core.tasks.split_parts import SplitPart
from metaglot.report.comparison import compare_runs
from metaglot.report.html.environment import script_hash
from metaglot.report.html.page import code, render_page, unbroken

EVIL = "<script>alert('&x')</script>"


def test_nothing_is_fetched_and_only_one_script_may_run(html: str):
    elements = Elements(html)
    for tag, attributes in elements.tags:
        assert tag not in ("iframe", "object", "embed")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert re.match("data:|#|draw.html$", attributes.get(name) or "#")  # the page beside it
    assert "url(http" not in html and "@import" not in html
    (policy,) = [dict(a)["content"] for t, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src '{script_hash(elements.scripts[-1])}'"
    )


def test_the_same_runs_give_the_same_bytes(one_seed: Finished, html: str):
    assert page_of(one_seed) == html


def test_ids_are_unique(html: str):
    ids = [attributes["id"] for _, attributes in Elements(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_text_from_files_is_escaped(tmp_path: Path):
    config, runs = finished(tmp_path, labels={"maml": EVIL}, devices=[EVIL])
    characters = SplitPart(PAPER.images, [EVIL] * CHARACTERS)
    html = render_page(compare_runs(config, runs, None), runs, characters, EVIL)
    elements = Elements(html)
    assert [text for text in elements.scripts if "alert" in text and not text.startswith("{")] == []
    assert not any("<" in text for text in elements.scripts[:-1])
    assert elements.text.count("alert('&x')") > 10


RAN: dict[str, dict] = {
    "one run": {"skills": {"maml": 0.97}, "tests": 3},
    "no adaptation": {"skills": {"scratch": 0.5, "anil": 1.0}, "seeds": (1, 2)},
    "no training": {"skills": {"scratch": 0.5}},
    "one step": {"skills": {"protonet": 0.97}},
    "all that there are": {"skills": dict.fromkeys(LABELS, 0.9), "seeds": (1, 2)},
    "six pairs": {"skills": dict.fromkeys(("maml", "fomaml", "anil", "reptile"), 0.9), "seeds": (1, 2)},
    "many seeds": {"skills": {"maml": 0.9, "fomaml": 0.2}, "seeds": tuple(range(20)), "tests": 20},
    "20-way": {"task": {"ways": 20, "shots": 1, "queries": 1}, "devices": ["a", "b"]},
    "first order twice": {"first_order": {"maml": True}},
}


@pytest.mark.parametrize("ran", RAN)
def test_a_page_is_made_of_whatever_ran(tmp_path: Path, ran: str):
    html = page_of(finished(tmp_path, **RAN[ran]))
    assert len(specifications(html)) == html.count("<figure id=") >= 3


def test_a_training_that_was_never_validated_has_no_learning_curve_and_claims_nothing_of_it(one_seed: Finished):
    config, runs = one_seed
    known = ("iteration", "seconds", "train_loss", "train_accuracy")
    blind = [replace(run, history=[{k: row[k] for k in known if k in row} for row in run.history]) for run in runs]
    html = page_of((config, blind))
    assert 'id="figure-learning-accuracy"' not in html and 'id="figure-scores"' in html
    assert "No validation was made" in compare_runs(config, blind, None)["claims"][2]["measured"]
    half = page_of((config, [runs[0], *blind[1:]]))
    assert f"{runs[0].result.label} ends at" in half and 'id="figure-learning-accuracy"' in half


def test_sequences_of_tasks_have_a_section_of_their_own_where_they_were_scored(tmp_path: Path, html: str):
    page = page_of(finished(tmp_path, sequences=20))
    assert 'id="sequences"' in page and "accuracy on each task after each task" in page
    cells = re.findall(r'<td[^>]* style="--percent: ([\d.]+)">([\d.]+)</td>', page)
    assert cells and all(share == shown for share, shown in cells)
    assert 'id="sequences"' not in html


def test_ways_and_shots_are_not_broken_at_a_line_s_end():
    assert unbroken("On 20-way 5-shot <b>") == (
        'On <span class="whole">20-way</span> <span class="whole">5-shot</span> &lt;b&gt;'
    )


def test_code_between_backticks_is_an_element_and_the_rest_is_escaped():
    assert code("run `make bench` <b>") == "run <code>make bench</code> &lt;b&gt;"
