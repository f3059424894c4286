import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import vl_convert
from finished_pipeline import CHARACTERS, LABELS, Finished, finished
from scipy import stats

from metaglot.charts.shapes import SHAPES
from metaglot.charts.vega import VEGA_LITE
from metaglot.core.tasks.class_splits import SplitPart
from metaglot.report import formatting
from metaglot.report.comparison import compare_runs
from metaglot.report.figures.adaptation import adaptation
from metaglot.report.figures.differences import differences
from metaglot.report.figures.figure import PAGE, SERIES
from metaglot.report.figures.learning import learning
from metaglot.report.figures.scores import scores
from metaglot.report.html.environment import script_hash
from metaglot.report.html.page import TEMPLATES, code, render_page, unbroken
from metaglot.report.pair_tables import others_table, pairs_table
from metaglot.report.published_results import published_results
from metaglot.report.tables import main_table

NAMES = [f"Some/character{i:02}" for i in range(CHARACTERS)]
PAPER = SplitPart(np.zeros((CHARACTERS, 20, 12, 12), np.uint8), NAMES)
EVIL = "<script>alert('&x')</script>"


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and not self.scripts[-1]:
            self.scripts[-1] = data
        else:
            self.text += data


def written(finished: Finished, experiment: str | None = None) -> str:
    return render_page(compare_runs(*finished, None), finished[1], PAPER, experiment)


@pytest.fixture(scope="module")
def html(one_seed: Finished) -> str:
    return written(one_seed)


def specifications(html: str) -> list[dict]:
    """What the page's charts are drawn from."""
    elements = Elements(html)
    kinds = [attributes.get("type") for tag, attributes in elements.tags if tag == "script"]
    return [json.loads(text) for kind, text in zip(kinds, elements.scripts, strict=True) if kind == "application/json"]


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


def test_every_figure_says_in_words_what_it_shows(html: str):
    charts = [attributes for _, attributes in Elements(html).tags if attributes.get("class") == "chart"]
    assert len(charts) == 11
    for chart in charts:
        assert chart["role"] == "img" and re.search(r"\d", chart["aria-label"] or "")


def test_the_same_runs_give_the_same_bytes(one_seed: Finished, html: str):
    assert written(one_seed) == html


def test_vega_lite_draws_every_chart(html: str):
    for specification in specifications(html):
        drawn = vl_convert.vegalite_to_svg(specification | {"width": 600}, vl_version=VEGA_LITE)
        assert len(re.findall('<path[^>]* d="M', drawn)) > 3


def test_ids_are_unique(html: str):
    ids = [attributes["id"] for _, attributes in Elements(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_published_result_is_shown_with_the_meaning_of_its_spread(html: str):
    text = Elements(html).text
    for group in published_results().groups:
        accuracies = [accuracy for result in group.results for accuracy in result.accuracies]
        assert group.meaning in text and all(accuracy in text for accuracy in accuracies)
        assert any("±" in accuracy for accuracy in accuracies) == group.meaning.startswith("±")


def test_every_published_source_has_its_protocol_or_that_it_is_not_known(html: str):
    published, text = published_results(), Elements(html).text
    named = [protocol.source for protocol in published.protocols] + [*published.little_known]
    methods = {result.method.split(",")[0] for group in published.groups for result in group.results}
    for method in methods - {"MANN", "FOMAML", "MAML in learn2learn"}:  # as in MAML's table; PaddleFSL's and Reptile's
        assert any(method in source for source in named), method
    assert all(note in text for note in published.little_known.values())
    assert all(protocol.outer in text and protocol.inner in text for protocol in published.protocols)


def test_on_glyphs_there_is_a_banner_and_nothing_published(tmp_path: Path):
    text = Elements(written(finished(tmp_path, dataset="glyphs (synthetic)"))).text
    assert "SYNTHETIC DATA" in text
    for number in ("95.87", "96.99", "0.9699", "0.9587", "23617", "23,617", "97.5 ± 0.6", "Finn et al."):
        assert number not in text


def test_tested_on_another_project_s_classes_the_question_says_so_and_nothing_published_stands_beside(tmp_path: Path):
    text = Elements(written(finished(tmp_path, test_split="/print/test.npz"))).text
    assert "on 5-way 5-shot Omniglot, tested on /print/test.npz" in text
    assert "Finn et al." not in text and "95.87" not in text


def test_text_from_files_is_escaped(tmp_path: Path):
    config, runs = finished(tmp_path, labels={"maml": EVIL}, devices=[EVIL])
    characters = SplitPart(PAPER.images, [EVIL] * CHARACTERS)
    html = render_page(compare_runs(config, runs, None), runs, characters, EVIL)
    elements = Elements(html)
    assert [text for text in elements.scripts if "alert" in text and not text.startswith("{")] == []
    assert not any("<" in text for text in elements.scripts[:-1])
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
    assert len(specifications(html)) == html.count("<figure id=") >= 3


def test_a_training_that_was_never_validated_has_no_learning_curve_and_claims_nothing_of_it(one_seed: Finished):
    config, runs = one_seed
    known = ("iteration", "seconds", "train_loss", "train_accuracy")
    blind = [replace(run, history=[{k: row[k] for k in known if k in row} for row in run.history]) for run in runs]
    html = written((config, blind))
    assert 'id="figure-learning-accuracy"' not in html and 'id="figure-scores"' in html
    assert "No validation was made" in compare_runs(config, blind, None)["claims"][2]["measured"]
    half = written((config, [runs[0], *blind[1:]]))
    assert f"{runs[0].result.label} ends at" in half and 'id="figure-learning-accuracy"' in half


def test_what_validation_decides_is_said_of_those_for_whom_it_does(tmp_path: Path, one_seed: Finished):
    skills = {"maml": 0.97, "pretrained": 0.9, "scratch": 0.6, "reptile": 0.95}
    config, runs = finished(tmp_path, skills=skills, tests=40, adaptation_steps=50)
    text = " ".join(Elements(written((config, runs))).text.split())
    assert "only recorded, except for Pretrained, which keeps" in text and "and From scratch, whose rate" in text
    assert "MAML 1, then 50" in text and "Reptile 1, then 50" in text and "Pretrained 1, then" not in text
    assert "Reptile is scored after 50 steps, beyond this chart." in text
    alone = " ".join(Elements(written(one_seed)).text.split())
    assert "Validation is only recorded. " in alone and "does not end at the score" not in alone


def test_the_scored_step_is_ringed(one_seed: Finished):
    chart = adaptation(one_seed[1])[0]
    maml = one_seed[1][0].result
    assert chart.specification["datasets"]["rings"][0] == {
        "group": "MAML", "x": 1, "y": pytest.approx(maml.by_step[1].accuracy, abs=1e-6)
    }  # fmt: skip
    assert "FOMAML is scored after 1 step." in chart.alternative


def test_curves_by_time_are_marked_where_trainings_ran_at_once(tmp_path: Path, one_seed: Finished):
    by_time = learning(finished(tmp_path, serial=False, tests=40)[1])[2]
    assert by_time.id == "learning-time-0"
    assert (
        "MAML †" in [switch.label for switch in by_time.switches]
        and "† while another training ran" in by_time.alternative
    )
    assert not any("†" in chart.json for chart in learning(one_seed[1]))


def test_an_axis_that_is_not_linear_says_so(tmp_path: Path, five_seeds: Finished):
    skills = {"maml": 0.97, "fomaml": 0.6, "scratch": 0.3, "anil": 0.95}
    compared = compare_runs(*finished(tmp_path, skills=skills, seeds=(1, 2), tests=40), None)
    assert "logarithmic in the error" in scores(compared)[0].json
    assert f"logarithmic beyond {formatting.MINUS}1 and 1" in differences(compared["pairs"], 0.005)[0].json
    near = compare_runs(*five_seeds, None)
    assert not any("logarithmic" in chart.json for chart in [*scores(near), *differences(near["pairs"], 0.005)])


def test_the_bar_over_seeds_is_darker_than_those_of_seeds(five_seeds: Finished):
    specification = differences(compare_runs(*five_seeds, None)["pairs"], 0.005)[0].specification
    assert [bar["total"] for bar in specification["datasets"]["bars"]] == [False] * 5 + [True]
    (bars,) = [
        layer for layer in specification["layer"] if layer["mark"]["type"] == "rule" and "x2" in layer["encoding"]
    ]
    assert bars["encoding"]["opacity"] == {"value": {"expr": "datum.total ? 1 : 0.5"}}


def test_many_algorithms_are_shown_best_first_in_their_own_colours(tmp_path: Path):
    skills = {"scratch": 0.5, "anil": 0.9, "maml": 0.97}
    config, runs = finished(tmp_path, skills=skills, seeds=(1, 2), tests=40)
    compared = compare_runs(config, runs, None)
    assert [row[0] for row in main_table(compared).rows] == ["MAML", "original study: MAML", "ANIL", "From scratch"]
    assert [row[0] for row in pairs_table(compared).rows] == [
        f"ANIL {formatting.MINUS} MAML",
        f"From scratch {formatting.MINUS} MAML",
        f"From scratch {formatting.MINUS} ANIL",
    ]
    specification = scores(compared)[0].specification
    scale = specification["layer"][0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True))["MAML"] == "var(--series-2)"
    assert specification["layer"][0]["encoding"]["y"]["scale"]["domain"] == ["MAML", "ANIL", "From scratch"]


def test_sequences_of_tasks_have_a_section_of_their_own_where_they_were_scored(tmp_path: Path, html: str):
    page = written(finished(tmp_path, sequences=20))
    assert 'id="sequences"' in page and "accuracy on each task after each task" in page
    cells = re.findall(r'<td[^>]* style="--percent: ([\d.]+)">([\d.]+)</td>', page)
    assert cells and all(share == shown for share, shown in cells)
    assert 'id="sequences"' not in html


def test_the_other_measures_of_a_difference_are_in_a_table_that_is_folded_away(five_seeds: Finished):
    config, runs = five_seeds
    found = others_table(compare_runs(config, runs, None)).rows
    assert [row[1] for row in found] == [
        "loss",
        "worst tenth",
        "calibration error",
        "inductive accuracy",
        "inductive loss",
        "inductive worst tenth",
        "inductive calibration error",
    ]
    maml, fomaml = ([run.result.loss.mean for run in part] for part in (runs[:5], runs[5:]))
    low, high = stats.ttest_rel(maml, fomaml).confidence_interval()
    assert found[0][2] == signed(np.mean(maml) - np.mean(fomaml))
    assert found[0][3] == f"{signed(low)} to {signed(high)}"
    assert found[0][4] in " ".join(Elements(written(five_seeds)).text.split())


def signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", formatting.MINUS)


def test_ways_and_shots_are_not_broken_at_a_line_s_end():
    assert unbroken("On 20-way 5-shot <b>") == (
        'On <span class="whole">20-way</span> <span class="whole">5-shot</span> &lt;b&gt;'
    )


def test_layers_are_drawn_where_only_some_seeds_measured_them(five_seeds: Finished):
    config, runs = five_seeds
    some = [replace(run, alignment=[]) if run.seed < 46 else run for run in runs]
    text = Elements(written((config, some))).text
    assert "features.0 ends at" in text


def test_twenty_algorithms_have_colours_and_markers_of_their_own():
    style = (TEMPLATES / "style.css").read_text()
    assert len({PAGE.colour(series) for series in range(SERIES)}) == len(set(SHAPES)) == SERIES == 20
    for series in range(SERIES):
        light, dark = re.findall(rf"--series-{series}: (#\w{{6}});", style)
        assert light != dark and f".series-{series} {{ color: var(--series-{series}); }}" in style
    assert len(set(re.findall(r"--series-\d+: (#\w{6});", style))) == 2 * SERIES


def test_code_between_backticks_is_an_element_and_the_rest_is_escaped():
    assert code("run `make bench` <b>") == "run <code>make bench</code> &lt;b&gt;"


def test_a_chart_takes_its_colours_from_the_page(html: str):
    for specification in specifications(html):
        colours = re.findall(r"#[0-9a-f]{3,8}\b", json.dumps(specification))
        assert colours == [] and specification["config"]["axis"]["labelColor"] == "currentColor"


def test_the_numbers_of_curves_are_in_a_table(five_seeds: Finished):
    accuracy = learning(five_seeds[1])[0]
    assert accuracy.table is not None and accuracy.table.header == ["iteration", "MAML", "FOMAML"]
    iteration, maml, _ = accuracy.table.rows[-1]
    assert iteration == "10,000" and f"MAML ends at {maml}" in accuracy.alternative


def test_seeds_have_curves_and_many_have_a_band(five_seeds: Finished, tmp_path: Path):
    few = learning(five_seeds[1])[0].specification["datasets"]
    assert {row["run"] for row in few["points"] if "seed" in row} == {run.name for run in five_seeds[1]}
    many = learning(finished(tmp_path, seeds=tuple(range(6)), tests=20)[1])[0].specification["datasets"]
    assert not any("seed" in row for row in many["points"])
    assert {row["group"] for row in many["bands"]} == {"MAML", "FOMAML"}
    assert all(row["low"] <= row["high"] for row in many["bands"])
