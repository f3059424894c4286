import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from finished_pipeline import CHARACTERS, LABELS, finished

from metaglot.config import ReportConfig
from metaglot.report.canvas import canvas, colour
from metaglot.report.page import page
from metaglot.report.published import PUBLISHED
from metaglot.report.record import comparison
from metaglot.report.runs import Run
from metaglot.splits import Characters

Finished = tuple[ReportConfig, list[Run]]
NAMES = [f"Some/character{i:02}" for i in range(CHARACTERS)]
PAPER = Characters(np.zeros((CHARACTERS, 20, 12, 12), np.uint8), NAMES)
EVIL = "<script>alert('&x')</script>"


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def written(finished: Finished, experiment: str | None = None) -> str:
    return page(comparison(*finished, None), finished[1], PAPER, experiment)


@pytest.fixture(scope="module")
def html(one_seed: Finished) -> str:
    return written(one_seed)


def test_the_same_runs_give_the_same_bytes(one_seed: Finished, html: str):
    assert written(one_seed) == html


def test_nothing_is_fetched_and_nothing_is_run(html: str):
    for tag, attributes in Elements(html).tags:
        assert tag not in ("script", "iframe", "object", "embed")
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "href", "xlink:href"):
            assert re.match("data:|#", attributes.get(name) or "#")
    assert "url(http" not in html and "@import" not in html


def test_every_figure_says_in_words_what_it_shows(html: str):
    drawings = [attributes for tag, attributes in Elements(html).tags if tag == "svg"]
    assert len(drawings) == 11
    for drawing in drawings:
        assert drawing["role"] == "img" and re.search(r"\d", drawing["aria-label"] or "")


def test_ids_are_unique(html: str):
    ids = [attributes["id"] for _, attributes in Elements(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_published_results_stand_with_what_their_spread_means(html: str):
    text = Elements(html).text
    for spread in PUBLISHED:
        assert spread.meaning in text
        assert all(accuracy in text for result in spread.results for accuracy in result.accuracies)


def test_no_column_holds_two_meanings_of_a_spread():
    for spread in PUBLISHED:
        printed = [accuracy for result in spread.results for accuracy in result.accuracies]
        assert any("±" in accuracy for accuracy in printed) == spread.meaning.startswith("±")


def test_on_glyphs_there_is_a_banner_and_nothing_published(tmp_path: Path):
    text = Elements(written(finished(tmp_path, dataset="glyphs (synthetic)"))).text
    assert "SYNTHETIC DATA" in text
    for number in ("95.87", "96.99", "0.9699", "0.9587", "23617", "23,617", "97.5 ± 0.6", "Finn et al."):
        assert number not in text


def test_text_from_files_is_escaped(tmp_path: Path):
    config, runs = finished(tmp_path, labels={"maml": EVIL}, devices=[EVIL])
    characters = Characters(PAPER.images, [EVIL] * CHARACTERS)
    html = page(comparison(config, runs, None), runs, characters, EVIL)
    elements = Elements(html)
    assert not any(tag == "script" for tag, _ in elements.tags)
    assert elements.text.count("alert('&x')") > 10


def test_provenance_names_code_data_and_experiment(one_seed: Finished):
    text = Elements(written(one_seed, "salty-dog")).text
    record, result = one_seed[1][0].record, one_seed[1][0].result
    for fact in (
        "salty-dog",
        record.commit,
        result.split_sha256,
        result.tasks_sha256,
        "torch 2.14.1",
        "meta_batch_size",
    ):
        assert fact is not None and fact in text


@pytest.mark.parametrize(
    "options",
    [
        {"skills": {"maml": 0.97}, "tests": 3},
        {"skills": {"scratch": 0.5, "anil": 1.0}, "seeds": (1, 2)},
        {"skills": {"scratch": 0.5}},
        {"skills": {"protonet": 0.97}},
        {"skills": dict.fromkeys(LABELS, 0.9), "seeds": (1, 2)},
        {"skills": dict.fromkeys(("maml", "fomaml", "anil", "reptile"), 0.9), "seeds": (1, 2)},
        {"skills": {"maml": 0.9, "fomaml": 0.2}, "seeds": tuple(range(20)), "tests": 20},
        {"task": {"ways": 20, "shots": 1, "queries": 1}, "devices": ["a", "b"]},
        {"first_order": {"maml": True}},
    ],
    ids=[
        "one run",
        "no adaptation",
        "no training",
        "one step",
        "all that there are",
        "six pairs",
        "many seeds",
        "20-way",
        "first order twice",
    ],
)
def test_a_page_is_made_of_whatever_ran(tmp_path: Path, options: dict):
    html = written(finished(tmp_path, **options))
    assert html.count("<svg") == html.count("</svg>") >= 3


def test_a_training_that_was_never_validated_has_no_learning_curve_and_claims_nothing_of_it(one_seed: Finished):
    config, runs = one_seed
    known = ("iteration", "seconds", "train_loss", "train_accuracy")
    blind = [replace(run, history=[{k: row[k] for k in known if k in row} for row in run.history]) for run in runs]
    html = written((config, blind))
    assert 'id="figure-learning-accuracy"' not in html and 'id="figure-scores"' in html
    assert "no validation was made" in comparison(config, blind, None)["claims"][2]["measured"]
    half = written((config, [runs[0], *blind[1:]]))
    assert f"{runs[0].result.label} ends at" in half and 'id="figure-learning-accuracy"' in half


def test_layers_are_drawn_where_only_some_seeds_measured_them(five_seeds: Finished):
    config, runs = five_seeds
    some = [replace(run, alignment=[]) if run.seed < 46 else run for run in runs]
    text = Elements(written((config, some))).text
    assert "features.0 ends at" in text


def test_a_chart_takes_its_colours_from_the_page_and_its_texts_as_they_are():
    with canvas("some-chart") as drawn:
        (line,) = drawn.axes.plot([0, 1], color=colour(11), label="a <b> & $x$")
        drawn.tip(line, "tip <i>")
        svg = drawn.finish("Title <", 'in "words"').svg
    root = ET.fromstring(svg.replace("xlink:href", "href"))
    assert root.get("aria-label") == 'Title <. in "words"'
    assert "var(--series-1)" in svg and "currentColor" in svg and "#0a0b" not in svg
    texts = ["".join(element.itertext()).strip() for element in root.iter()]
    assert "a <b> & $x$" in texts and "tip <i>" in texts
    assert all(id.startswith("some-chart-") for id in re.findall(r'\bid="([^"]*)"', svg))
