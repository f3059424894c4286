"""What meta-learning adds: a family of its own, declared in advance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_pipeline import LABELS, Finished, finished
from report_page import PAPER
from scipy import stats
from statsmodels.stats.multitest import multipletests

from metaglot.report.comparison import compare_runs
from metaglot.report.html.page import render_page
from metaglot.report.markdown import BASELINES, markdown
from metaglot.report.pair_tables import baselines_table
from metaglot.report.statistics.baselines import answer
from metaglot.report.statistics.pairwise_result import PairwiseResult

FIVE = (1, 2, 3, 4, 5)
SKILLS = {"scratch": 0.5, "maml": 0.97, "pretrained": 0.9, "anil": 0.93, "reptile": 0.9004}


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Two baselines, two meta-learners that beat them, and a third that is as good as one baseline."""
    return finished(tmp_path_factory.mktemp("kinds"), skills=SKILLS, seeds=FIVE, tests=100)


def against(folder: Path, skills: dict[str, float], seeds: tuple[int, ...] = FIVE) -> dict[str, Any]:
    return compare_runs(*finished(folder, skills=skills, seeds=seeds, tests=60), None)["baselines"]


def test_p_values_are_scipys_corrected_by_statsmodels_over_this_family_alone(all_kinds: Finished):
    rows = compare_runs(*all_kinds, None)["baselines"]["standings"]
    means = {name: [run.result.accuracy.mean for run in all_kinds[1] if run.algorithm == name] for name in SKILLS}
    pairs = [(learner, base) for learner in ("maml", "anil", "reptile") for base in ("pretrained", "scratch")]
    raw = [stats.ttest_rel(means[learner], means[base]).pvalue for learner, base in pairs]
    assert [(row["label"], row["other"]) for row in rows] == [(LABELS[a], LABELS[b]) for a, b in pairs]
    assert [row["p"] for row in rows] == pytest.approx(multipletests(raw, method="holm")[1])
    differences = [np.mean(means[a]) - np.mean(means[b]) for a, b in pairs]
    assert [row["difference"] for row in rows] == pytest.approx(differences)
    assert {row["family"] for row in rows} == {6}


def test_the_headline_names_who_falls_short(all_kinds: Finished):
    answer = compare_runs(*all_kinds, None)["baselines"]["answer"]
    assert answer.startswith("MAML and ANIL beat Pretrained and From scratch. Reptile against Pretrained: ")


def test_the_headline_where_all_is_well_and_where_little_was_run(tmp_path: Path):
    both = {"scratch": 0.5, "pretrained": 0.9}
    assert against(tmp_path / "1", both | {"maml": 0.97, "anil": 0.96})["answer"] == (
        "Every meta-learner beats both baselines."
    )
    assert against(tmp_path / "2", {"scratch": 0.5, "maml": 0.97})["answer"] == "MAML beats the baseline From scratch."
    one_seed = against(tmp_path / "3", {"scratch": 0.5, "maml": 0.97, "anil": 0.9}, seeds=(1,))["answer"]
    assert one_seed == "One seed cannot tell whether MAML and ANIL beat From scratch."
    worse = against(tmp_path / "4", {"pretrained": 0.97, "maml": 0.5})["answer"]
    assert worse == "No meta-learner beats every baseline. MAML against Pretrained: worse."


def compared(label: str, verdict: str, p: float | None) -> PairwiseResult:
    return PairwiseResult(label, "Pretrained", 0.1, 0.0, 0.2, None, 2, p, 2, verdict, within_margin=False)


def test_one_meta_learner_beats_and_several_beat():
    maml, anil = compared("MAML", "better", 0.01), compared("ANIL", "worse", 0.02)
    reptile, protonet = compared("Reptile", "inconclusive", 0.2), compared("ProtoNet", "worse", 0.03)
    assert answer([maml, anil, reptile, protonet]) == (
        "MAML beats Pretrained. ANIL and ProtoNet against Pretrained: worse. Reptile against Pretrained: inconclusive."
    )
    one_seed = compared("MAML", "inconclusive (one seed)", None)
    assert answer([one_seed]) == "One seed cannot tell whether MAML beats Pretrained."
    assert answer([compared("MAML", "better", 0.01)]) == "MAML beats the baseline Pretrained."


def test_without_a_baseline_or_a_meta_learner_there_is_nothing_to_say(tmp_path: Path):
    assert against(tmp_path / "1", {"maml": 0.97, "anil": 0.96}) is None
    assert against(tmp_path / "2", {"scratch": 0.5, "pretrained": 0.9}) is None


def test_page_and_text_show_the_family(all_kinds: Finished):
    compared = compare_runs(*all_kinds, None)
    html, text = render_page(compared, all_kinds[1], PAPER, None), markdown(compared)
    assert 'id="baselines"' in html and compared["baselines"]["answer"] in html
    assert f"## {BASELINES}\n\n{compared['baselines']['answer']}" in text
    for row in baselines_table(compared).rows:
        assert " | ".join(row) in text
