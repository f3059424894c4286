"""What meta-learning adds: a family of its own, declared in advance."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_pipeline import LABELS, Finished, comparison, finished
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
    return comparison(folder, skills=skills, seeds=seeds, tests=60)["baselines"]


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


def of(label: str, verdict: str, p: float | None = 0.01, other: str = "Pretrained") -> PairwiseResult:
    return PairwiseResult(label, other, 0.1, 0.0, 0.2, None, 2, p, 2, verdict, within_margin=False)


EVERY = "Every meta-learner beats both baselines."
MAML, ANIL, REPTILE = of("MAML", "better"), of("ANIL", "worse"), of("Reptile", "inconclusive")


@pytest.mark.parametrize(
    ("standings", "sentence"),
    [
        ([MAML], "MAML beats the baseline Pretrained."),
        ([of(a, "better", other=b) for a in ("MAML", "ANIL") for b in ("Pretrained", "From scratch")], EVERY),
        ([ANIL], "No meta-learner beats every baseline. ANIL is worse than Pretrained."),
        (
            [MAML, ANIL, REPTILE, of("ProtoNet", "worse")],
            "MAML beats Pretrained. ANIL and ProtoNet are worse than Pretrained. Reptile against Pretrained: "
            "inconclusive.",
        ),
        ([of("MAML", "inconclusive (one seed)", None)], "One seed cannot tell whether MAML beats Pretrained."),
    ],
)
def test_the_headline_says_who_beats_which_baselines(standings: list[PairwiseResult], sentence: str):
    assert answer(standings) == sentence


def test_the_headline_of_one_seed_names_all_meta_learners(tmp_path: Path):
    one_seed = against(tmp_path, {"scratch": 0.5, "maml": 0.97, "anil": 0.9}, seeds=(1,))["answer"]
    assert one_seed == "One seed cannot tell whether MAML and ANIL beat From scratch."


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
