import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_pipeline import Finished, finished

from metaglot.core.common.errors import UserError
from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.result_record import Result
from metaglot.report.comparison import compare_runs
from metaglot.report.formatting import MINUS, difference
from metaglot.report.load_runs import NEWER, LoadedRun
from metaglot.report.markdown import markdown
from metaglot.report.pair_tables import others_table, pairs_table
from metaglot.report.rows import algorithm_rows
from metaglot.report.statistics.pairs import compare_pairs, correct_family, find_pair, refuse_other_tasks
from metaglot.report.statistics.pairwise_result import pairwise_result, shown_interval
from metaglot.report.tables import uncertainty_table


def test_differences_are_of_the_same_tasks_seed_by_seed(five_seeds: Finished):
    _, runs = five_seeds
    (pair,) = compare_pairs(runs, 0.005)
    maml, fomaml = runs[:5], runs[5:]
    for measure in MEASURES:
        expected = [np.mean(a.scores[measure] - b.scores[measure]) for a, b in zip(maml, fomaml, strict=True)]
        differences = [seed[measure]["difference"] for seed in pair["by_seed"]]
        assert differences == pytest.approx(expected, abs=1e-7)
        assert pair["over_seeds"][measure]["difference"] == pytest.approx(np.mean(expected), abs=1e-7)
        assert pair["over_seeds"][measure]["ci95"] == pytest.approx(t_interval(expected), abs=1e-6)


def test_a_seeds_interval_is_paired(one_seed: Finished):
    _, (maml, fomaml) = one_seed
    (pair,) = compare_pairs([maml, fomaml], 0.005)
    difference = maml.scores["loss"].astype(float) - fomaml.scores["loss"]
    assert pair["by_seed"][0]["loss"]["ci95"] == pytest.approx(t_interval(difference))


def test_one_seed_is_inconclusive_however_large_the_difference(one_seed: Finished):
    (pair,) = compare_pairs(one_seed[1], 0.005)
    assert pair["verdict"] == "inconclusive (one seed)"
    assert pair["over_seeds"]["accuracy"]["ci95"] is None


def test_a_pair_is_within_a_margin_that_its_seeds_rule_out_and_no_other(five_seeds: Finished, one_seed: Finished):
    within_margin = {margin: compare_pairs(five_seeds[1], margin)[0]["within_margin"] for margin in (1e-6, 0.5)}
    assert within_margin == {1e-6: False, 0.5: True}
    assert compare_pairs(one_seed[1], 0.5)[0]["within_margin"] is False
    assert pairwise_result(compare_pairs(five_seeds[1], 0.5)[0], "fomaml").within_margin is True


@pytest.mark.parametrize(
    ("p_margins", "within"), [([0.03, 0.03], [False] * 2), ([0.02, 0.03], [True] * 2), ([0.05], [False])]
)
def test_a_pair_is_within_the_margin_by_holms_p_value_below_5_percent(p_margins: list[float], within: list[bool]):
    tests = [{"difference": 0.0, "p": 0.5, "p_margin": p_margin} for p_margin in p_margins]
    family = correct_family([{"over_seeds": {"accuracy": test}} for test in tests], 0.005)
    assert [pair["within_margin"] for pair in family] == within


def test_p_values_are_corrected_over_all_pairs(tmp_path):
    skills = {"maml": 0.97, "fomaml": 0.965, "anil": 0.96}
    _, runs = finished(tmp_path, skills=skills, seeds=(1, 2, 3))
    tests = [pair["over_seeds"]["accuracy"] for pair in compare_pairs(runs, 0.005)]
    smallest = min(tests, key=lambda test: test["p"])
    assert len(tests) == 3
    assert smallest["p_holm"] == pytest.approx(min(1, 3 * smallest["p"]))


def test_over_seeds_stands_the_interval_of_their_mean_networks_over_characters(five_seeds: Finished):
    config, runs = five_seeds
    (pair,) = compare_pairs(runs, 0.005)
    held = runs[0].scores["characters"]
    for measure in MEASURES:
        means = [np.mean([run.scores[measure].astype(float) for run in part], axis=0) for part in (runs[:5], runs[5:])]
        expected = clustered_interval(means[0] - means[1], held)
        assert pair["over_seeds"][measure]["ci95_by_character"] == pytest.approx(expected)
        assert pair["over_seeds"][measure]["ci95_by_task"] == pytest.approx(t_interval(means[0] - means[1]))
        assert np.mean(expected) == pytest.approx(pair["over_seeds"][measure]["difference"])
    for row, part in zip(algorithm_rows(runs), (runs[:5], runs[5:]), strict=True):
        mean = np.mean([run.scores["accuracy"].astype(float) for run in part], axis=0)
        assert row["accuracy"]["ci95_by_character"] == pytest.approx(clustered_interval(mean, held))
        assert row["accuracy"]["ci95"] == pytest.approx(t_interval([run.result.accuracy.mean for run in part]))


def test_both_uncertainties_are_told(five_seeds: Finished):
    compared = compare_runs(*five_seeds, None)
    result = pairwise_result(compared["pairs"][0], "fomaml")
    assert result.over_characters is not None
    low, high = (f"{100 * bound:+.2f}".replace("-", MINUS) for bound in result.over_characters)
    assert f"clustered by test character {low} to {high}; p" in difference(result)
    assert f"{100 * -result.over_characters[1]:+.2f} to" in pairs_table(compared).rows[0][4]
    assert [row[1] for row in uncertainty_table(compared).rows] == ["5", "5"]


def as_scored_before(run: LoadedRun) -> LoadedRun:
    """A run without the newer metrics."""
    result = json.loads(run.result.model_dump_json())
    older = {key: value for key, value in result.items() if key not in NEWER}
    older["inductive"] = {key: value for key, value in result["inductive"].items() if key not in NEWER}
    scores = {name: values for name, values in run.scores.items() if name not in NEWER}
    return replace(run, result=Result.model_validate_json(json.dumps(older)), scores=scores)


@pytest.mark.parametrize("older", [slice(None), slice(1), slice(1, 2)], ids=["all", "the first", "the second"])
def test_runs_of_which_some_were_scored_before_a_metric_was_there_are_compared_in_the_others(
    tmp_path: Path, older: slice
):
    config, runs = finished(tmp_path, skills={"maml": 0.97, "fomaml": 0.96, "anil": 0.9}, seeds=(1, 2, 3), tests=40)
    runs[older] = map(as_scored_before, runs[older])
    compared = compare_runs(config, runs, None)
    newer_pairs = [pair for pair in compared["pairs"] if NEWER & pair["over_seeds"].keys()]
    assert [pair["first"] for pair in newer_pairs] == ([] if older == slice(None) else ["fomaml"])
    assert compared["answer"] in markdown(compared)
    expected = {*MEASURES} - {"accuracy"} - (NEWER if older == slice(None) else set())
    assert {row[1] for row in others_table(compared).rows} == {MEASURES[name].title for name in expected}
    assert {pair["verdict"] for pair in compared["pairs"]} == {"better"}


def test_one_seed_has_one_uncertainty(one_seed: Finished):
    result = pairwise_result(compare_pairs(one_seed[1], 0.005)[0], "maml")
    assert result.over_characters is None and "clustered by character, one seed" in difference(result)


def test_holm_is_named_where_more_than_one_pair_was_compared(tmp_path: Path, five_seeds: Finished):
    assert "; p " in difference(pairwise_result(compare_pairs(five_seeds[1], 0.005)[0], "maml"))
    _, runs = finished(tmp_path, skills={"maml": 0.97, "fomaml": 0.965, "anil": 0.96}, seeds=(1, 2), tests=40)
    assert all("; Holm's p " in difference(pairwise_result(pair, pair["first"])) for pair in compare_pairs(runs, 0.005))


def test_a_training_that_ended_early_counts_the_iterations_it_made(tmp_path: Path):
    skills, stopped = {"pretrained": 0.9, "maml": 0.97}, {"pretrained": 4000}
    config, runs = finished(tmp_path, skills=skills, stopped=stopped, tests=40)
    assert [row["iterations"] for row in algorithm_rows(runs)] == [4000, 10_000]
    assert [row["iterations"] for row in compare_runs(config, runs, None)["runs"]] == [4000, 10_000]


def test_the_loss_has_no_margin(five_seeds: Finished):
    (pair,) = compare_pairs(five_seeds[1], 0.005)
    assert pair["over_seeds"]["loss"]["p_margin_holm"] is None
    assert pair["over_seeds"]["inductive_accuracy"]["p_margin_holm"] is not None


def test_a_pair_is_the_same_from_either_side_and_its_verdict_the_opposite(five_seeds: Finished):
    (pair,) = compared = compare_pairs(five_seeds[1], 0.001)
    maml, fomaml = pairwise_result(pair, "maml"), pairwise_result(pair, "fomaml")
    assert (maml.label, maml.other, maml.verdict) == ("MAML", "FOMAML", "better")
    assert (fomaml.label, fomaml.other, fomaml.verdict) == ("FOMAML", "MAML", "worse")
    assert (pair["first"], pair["second"]) == ("maml", "fomaml")
    assert find_pair(compared, "fomaml", "maml") == pair and find_pair(compared, "maml", "anil") is None


def test_with_few_characters_the_interval_of_two_networks_still_covers():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(300):
        held = np.argsort(random.random((200, 30)), axis=1)[:, :5]
        shared = random.normal(0, 0.01, 30)[held].mean(axis=1)
        differences = shared + random.normal(0, 0.05, 200)
        record = {"ci95": t_interval(differences), "ci95_by_character": clustered_interval(differences, held)}
        low, high = shown_interval(record)
        covered += low <= 0 <= high
    assert covered / 300 >= 0.93


@pytest.mark.parametrize("key", ["tasks_sha256", "split_sha256", "dataset"])
def test_scores_on_other_tasks_are_refused_by_name(one_seed: Finished, key: str):
    maml, fomaml = one_seed[1]
    other = replace(fomaml, result=fomaml.result.model_copy(update={key: "other"}))
    with pytest.raises(UserError, match=rf"MAML · seed 42 and FOMAML · seed 42 .* {key}"):
        refuse_other_tasks([maml, other])


def test_scores_files_of_other_tasks_are_refused(one_seed: Finished):
    maml, fomaml = one_seed[1]
    swapped = replace(fomaml, scores=fomaml.scores | {"characters": fomaml.scores["characters"][::-1]})
    with pytest.raises(UserError, match="contain different tasks"):
        refuse_other_tasks([maml, swapped])
