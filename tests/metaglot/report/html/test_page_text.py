"""What the page says in sentences and tables."""

from pathlib import Path

import numpy as np
from finished_pipeline import Finished, finished
from report_page import Elements, page_of, words
from scipy import stats

from metaglot.report import formatting
from metaglot.report.comparison import compare_runs
from metaglot.report.pair_tables import others_table
from metaglot.report.published_results import published_results


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
    text = Elements(page_of(finished(tmp_path, dataset="glyphs (synthetic)"))).text
    assert "SYNTHETIC DATA" in text
    for number in ("95.87", "96.99", "0.9699", "0.9587", "23617", "23,617", "97.5 ± 0.6", "Finn et al."):
        assert number not in text


def test_tested_on_another_project_s_classes_the_question_says_so_and_nothing_published_stands_beside(tmp_path: Path):
    text = Elements(page_of(finished(tmp_path, test_split="/print/test.npz"))).text
    assert "on 5-way 5-shot Omniglot, tested on /print/test.npz" in text
    assert "Finn et al." not in text and "95.87" not in text


def test_provenance_names_code_data_and_experiment(one_seed: Finished):
    text = Elements(page_of(one_seed, "salty-dog")).text
    record, result = one_seed[1][0].record, one_seed[1][0].result
    hashes = (record.commit, result.split_sha256, result.tasks_sha256)
    for fact in ("salty-dog", *hashes, "torch 2.14.1", "meta_batch_size"):
        assert fact is not None and fact in text


def test_what_validation_decides_is_said_of_those_for_whom_it_does(tmp_path: Path, one_seed: Finished):
    skills = {"maml": 0.97, "pretrained": 0.9, "scratch": 0.6, "reptile": 0.95}
    config, runs = finished(tmp_path, skills=skills, tests=40, adaptation_steps=50)
    text = words(page_of((config, runs)))
    assert "only recorded, except for Pretrained, which keeps" in text and "and From scratch, whose rate" in text
    assert "MAML 1, then 50" in text and "Reptile 1, then 50" in text and "Pretrained 1, then" not in text
    assert "Reptile is scored after 50 steps, beyond this chart." in text
    alone = words(page_of(one_seed))
    assert "Validation is only recorded. " in alone and "does not end at the score" not in alone


def test_the_other_measures_of_a_difference_are_in_a_table_that_is_folded_away(five_seeds: Finished):
    config, runs = five_seeds
    rows = others_table(compare_runs(config, runs, None)).rows
    others = ["loss", "worst tenth", "calibration error"]
    assert [row[1] for row in rows] == others + [f"inductive {name}" for name in ("accuracy", *others)]
    maml, fomaml = ([run.result.loss.mean for run in part] for part in (runs[:5], runs[5:]))
    low, high = stats.ttest_rel(maml, fomaml).confidence_interval()
    assert rows[0][2] == signed(np.mean(maml) - np.mean(fomaml))
    assert rows[0][3] == f"{signed(low)} to {signed(high)}"
    assert rows[0][4] in words(page_of(five_seeds))


def signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", formatting.MINUS)
