from pathlib import Path
from typing import Any

import numpy as np
import pytest
from finished_pipeline import finished
from statsmodels.stats.proportion import proportions_ztest

from metaglot.report import writeup
from metaglot.report.claims import CLAIMS, claims
from metaglot.report.comparison import pairs
from metaglot.report.evidence import Evidence
from metaglot.report.judge_approximation import COSINE, RATIO, left_out

FIVE = (42, 43, 44, 45, 46)
BENCH = {
    "batched": {"median": 0.4, "low": 0.35, "high": 0.45},
    "learn2learn": {"median": 0.3, "low": 0.2, "high": 0.35},
}


def judged(folder: Path, saves: dict[str, Any] | None = None, **options: Any) -> dict[str, dict[str, Any]]:
    """The claims by id, of a pipeline with such options."""
    report, runs = finished(folder, **options)
    bench = {"first_order_saves": saves} if saves else None
    return {claim["id"]: claim for claim in claims(Evidence(report, runs, pairs(runs, report.margin), bench))}


def test_what_the_write_up_says_of_claim_1_follows_from_its_numbers():
    assert (writeup.FOMAML.right, writeup.MAML.right) == (776, 767)
    p = proportions_ztest([writeup.FOMAML.right, writeup.MAML.right], [writeup.IMAGES] * 2)[1]
    assert f"p = {p:.2f}" in CLAIMS[0].writeup
    saved = 1 - writeup.FOMAML.train_seconds / writeup.MAML.train_seconds
    assert "5.05% less" in CLAIMS[1].writeup  # as printed: cut off, not rounded
    assert saved == pytest.approx(0.0505, abs=1e-4)


@pytest.mark.parametrize(
    ("maml", "fomaml", "verdict"),
    [(0.95, 0.98, "supported"), (0.98, 0.95, "not supported")],
)
def test_claim_1_is_decided_over_seeds(tmp_path: Path, maml: float, fomaml: float, verdict: str):
    claim = judged(tmp_path, skills={"maml": maml, "fomaml": fomaml}, seeds=FIVE)["fomaml-more-accurate"]
    assert (claim["verdict"], claim["command"]) == (verdict, None)
    assert "over 5 seeds" in claim["measured"] and "first 32 of our tasks" in claim["measured"]


def test_claim_1_of_one_seed_is_inconclusive_with_the_command_for_more(tmp_path: Path):
    claim = judged(tmp_path)["fomaml-more-accurate"]
    assert claim["verdict"] == "inconclusive"
    assert "seeds=" in claim["command"]


@pytest.mark.parametrize(
    "options",
    [
        {"skills": {"maml": 0.97}},
        {"first_order": {"maml": True}, "labels": {"maml": "MAML (first_order=true)"}},
        {"iterations": 60_000},
        {"task": {"shots": 1}},
    ],
    ids=["one algorithm", "both first-order", "more iterations", "another task"],
)
def test_claim_1_is_not_tested_in_another_setting(tmp_path: Path, options: dict[str, Any]):
    claim = judged(tmp_path, seeds=(1, 2), **options)["fomaml-more-accurate"]
    assert claim["verdict"] == "not tested"
    assert "train.iterations=10000" in claim["command"]


def test_claim_2_is_decided_by_the_bench_alone(tmp_path: Path):
    slower = {"batched": {"median": -0.2, "low": -0.3, "high": -0.1}}
    unsure = BENCH | {"learn2learn": {"median": 0.1, "low": -0.1, "high": 0.2}}
    for number, (saves, verdict) in enumerate(
        [(BENCH, "supported"), (slower, "not supported"), (unsure, "inconclusive")]
    ):
        claim = judged(tmp_path / str(number), saves)["fomaml-faster"]
        assert claim["verdict"] == verdict
    assert "batched: 40.0% (95% interval 35.0% to 45.0%)" in claim["measured"]


def test_claim_2_without_a_bench_shows_the_pipelines_times_and_decides_nothing(tmp_path: Path):
    claim = judged(tmp_path / "serial")["fomaml-faster"]
    assert (claim["verdict"], claim["command"]) == ("not tested", "make bench")
    assert "Some CPU @ 2.50GHz" in claim["measured"] and "while other trainings ran" not in claim["measured"]
    assert "while other trainings ran" in judged(tmp_path / "parallel", serial=False)["fomaml-faster"]["measured"]


def test_claim_3_needs_more_iterations_and_shows_the_curves_until_then(tmp_path: Path):
    claim = judged(tmp_path)["maml-overtakes"]
    assert claim["verdict"] == "not tested"
    assert "train.iterations=60000" in claim["command"]
    assert "after 5,000 iterations" in claim["measured"] and "after 10,000 iterations" in claim["measured"]


@pytest.mark.parametrize(("maml", "verdict"), [(0.98, "supported"), (0.9, "not supported")])
def test_claim_3_is_decided_after_more_iterations(tmp_path: Path, maml: float, verdict: str):
    skills = {"fomaml": 0.95, "maml": maml}
    claim = judged(tmp_path, skills=skills, seeds=FIVE, iterations=60_000)["maml-overtakes"]
    assert claim["verdict"] == verdict


def test_claim_4_is_decided_by_the_angle_and_the_lengths(tmp_path: Path):
    assert judged(tmp_path / "far")["first-order-close"]["verdict"] == "not supported"
    assert judged(tmp_path / "near", cosine=0.99)["first-order-close"]["verdict"] == "supported"
    untested = judged(tmp_path / "none", skills={"anil": 0.9})["first-order-close"]
    assert untested["verdict"] == "not tested"
    assert untested["command"].startswith("dvc exp run")


def test_what_very_close_allows_follows_from_its_bounds(tmp_path: Path):
    exact = np.array([3.0, -1.0, 2.0])
    aside = np.array([1.0, 3.0, 0.0])  # at a right angle to it
    approximation = 0.7 * exact + 0.2 * aside
    cosine = approximation @ exact / np.linalg.norm(approximation) / np.linalg.norm(exact)
    ratio = np.linalg.norm(approximation) / np.linalg.norm(exact)
    assert left_out(cosine, ratio) == pytest.approx(np.linalg.norm(exact - approximation) / np.linalg.norm(exact))
    ratios = np.linspace(*RATIO)
    assert max(left_out(COSINE, ratio) for ratio in ratios) == pytest.approx(0.35, abs=0.005)
    assert np.degrees(np.arccos(COSINE)) == pytest.approx(18, abs=0.5)
    assert "which leaves out 0.35 at most" in judged(tmp_path)["first-order-close"]["measured"]


def test_on_glyphs_nothing_is_tested_and_nothing_printed_is_repeated(tmp_path: Path):
    found = judged(tmp_path, BENCH, dataset="glyphs (synthetic)", seeds=FIVE)
    assert len(found) == 4
    for claim in found.values():
        assert (claim["writeup"], claim["verdict"]) == (None, "not tested")
        assert "data.source=omniglot" in claim["command"]
