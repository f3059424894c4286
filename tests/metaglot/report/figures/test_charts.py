"""The charts: marks, axes, colours, and the sentences beside them."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import vl_convert
from finished_pipeline import Finished, comparison, finished
from report_page import Elements, page_of, specifications

from metaglot.charts.shapes import SHAPES
from metaglot.charts.vega import VEGA_LITE
from metaglot.report import formatting
from metaglot.report.comparison import compare_runs
from metaglot.report.figures.adaptation import adaptation
from metaglot.report.figures.differences import differences
from metaglot.report.figures.figure import PAGE, SERIES
from metaglot.report.figures.learning import learning
from metaglot.report.figures.scores import scores
from metaglot.report.html.page import TEMPLATES


def test_every_figure_says_in_words_what_it_shows(html: str):
    charts = [attributes for _, attributes in Elements(html).tags if attributes.get("class") == "chart"]
    assert len(charts) == 11
    for chart in charts:
        assert chart["role"] == "img" and re.search(r"\d", chart["aria-label"] or "")


def test_vega_lite_draws_every_chart(html: str):
    for specification in specifications(html):
        drawn = vl_convert.vegalite_to_svg(specification | {"width": 600}, vl_version=VEGA_LITE)
        assert len(re.findall('<path[^>]* d="M', drawn)) > 3


def test_a_chart_takes_its_colours_from_the_page(html: str):
    for specification in specifications(html):
        colours = re.findall(r"#[0-9a-f]{3,8}\b", json.dumps(specification))
        assert colours == [] and specification["config"]["axis"]["labelColor"] == "currentColor"


def test_curves_by_time_are_marked_where_trainings_ran_at_once(tmp_path: Path, one_seed: Finished):
    by_time = learning(finished(tmp_path, serial=False, tests=40)[1])[2]
    assert by_time.id == "learning-time-0"
    assert "MAML †" in [switch.label for switch in by_time.switches]
    assert "† while another training ran" in by_time.alternative
    assert not any("†" in chart.json for chart in learning(one_seed[1]))


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


def test_the_scored_step_is_ringed(one_seed: Finished):
    chart = adaptation(one_seed[1])[0]
    maml = one_seed[1][0].result
    assert chart.specification["datasets"]["rings"][0] == {
        "group": "MAML", "x": 1, "y": pytest.approx(maml.by_step[1].accuracy, abs=1e-6)
    }  # fmt: skip
    assert "FOMAML is scored after 1 step." in chart.alternative


def test_an_axis_that_is_not_linear_says_so(tmp_path: Path, five_seeds: Finished):
    skills = {"maml": 0.97, "fomaml": 0.6, "scratch": 0.3, "anil": 0.95}
    compared = comparison(tmp_path, skills=skills, seeds=(1, 2), tests=40)
    assert "logarithmic in the error" in scores(compared)[0].json
    assert f"logarithmic beyond {formatting.MINUS}1 and 1" in differences(compared["pairs"], 0.005)[0].json
    near = compare_runs(*five_seeds, None)
    assert not any("logarithmic" in chart.json for chart in [*scores(near), *differences(near["pairs"], 0.005)])


def test_the_bar_over_seeds_is_darker_than_those_of_seeds(five_seeds: Finished):
    specification = differences(compare_runs(*five_seeds, None)["pairs"], 0.005)[0].specification
    assert [bar["total"] for bar in specification["datasets"]["bars"]] == [False] * 5 + [True]
    rules = [layer["encoding"] for layer in specification["layer"] if layer["mark"]["type"] == "rule"]
    (bars,) = [encoding for encoding in rules if "x2" in encoding]
    assert bars["opacity"] == {"value": {"expr": "datum.total ? 1 : 0.5"}}


def test_many_algorithms_are_shown_best_first_in_their_own_colours(three_algorithms: Finished):
    specification = scores(compare_runs(*three_algorithms, None))[0].specification
    scale = specification["layer"][0]["encoding"]["color"]["scale"]
    assert dict(zip(scale["domain"], scale["range"], strict=True))["MAML"] == "var(--series-2)"
    assert specification["layer"][0]["encoding"]["y"]["scale"]["domain"] == ["MAML", "ANIL", "From scratch"]


def test_layers_are_drawn_where_only_some_seeds_measured_them(five_seeds: Finished):
    config, runs = five_seeds
    some = [replace(run, alignment=[]) if run.seed < 46 else run for run in runs]
    text = Elements(page_of((config, some))).text
    assert "features.0 ends at" in text


def test_twenty_algorithms_have_colours_and_markers_of_their_own():
    style = (TEMPLATES / "style.css").read_text()
    assert len({PAGE.colour(series) for series in range(SERIES)}) == len(set(SHAPES)) == SERIES == 20
    for series in range(SERIES):
        light, dark = re.findall(rf"--series-{series}: (#\w{{6}});", style)
        assert light != dark and f".series-{series} {{ color: var(--series-{series}); }}" in style
    assert len(set(re.findall(r"--series-\d+: (#\w{6});", style))) == 2 * SERIES
