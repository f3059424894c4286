import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from finished_pipeline import finished
from judged import FIVE, judged
from scipy import stats
from statsmodels.stats.proportion import proportions_ztest

from metaglot.core.common.run_records import AlignmentRow
from metaglot.report import formatting, original_study
from metaglot.report.claims.accuracy import fomaml_leads, maml_overtakes
from metaglot.report.claims.approximation import COSINE, RATIO, first_order_is_close, missing_norm
from metaglot.report.claims.conclusions import CLAIMS
from metaglot.report.claims.evidence import Evidence
from metaglot.report.claims.speed import fomaml_is_faster
from metaglot.report.claims.validation_lead import validation_leads
from metaglot.report.statistics.pairs import compare_pairs

BENCH = {
    "batched": {"median": 0.4, "low": 0.35, "high": 0.45},
    "learn2learn": {"median": 0.3, "low": 0.2, "high": 0.35},
}


def test_the_statements_about_the_original_study_follow_from_its_numbers():
    images = 800  # 32 tasks of 25 queries
    correct = [round(images * printed.accuracy) for printed in (original_study.FOMAML, original_study.MAML)]
    assert correct == [776, 767]
    p = proportions_ztest(correct, [images] * 2)[1]
    assert f"p = {p:.2f}" in CLAIMS[0].writeup
    saved = 1 - original_study.FOMAML.train_seconds / original_study.MAML.train_seconds
    assert "5.05% less" in CLAIMS[1].writeup  # as printed: cut off, not rounded
    assert f"{original_study.SAVED:.2%} faster" in CLAIMS[1].statement
    assert saved == pytest.approx(original_study.SAVED, abs=1e-4)


@pytest.mark.parametrize(("maml", "fomaml", "verdict"), [(0.95, 0.98, "supported"), (0.98, 0.95, "not supported")])
def test_claim_1_is_decided_over_seeds(tmp_path: Path, maml: float, fomaml: float, verdict: str):
    claim = judged(tmp_path, skills={"maml": maml, "fomaml": fomaml}, seeds=FIVE)["fomaml-more-accurate"]
    assert (claim["verdict"], claim["command"]) == (verdict, None)
    assert "over 5 seeds" in claim["measured"] and "first 32 of our tasks" in claim["measured"]


def test_a_claim_fails_where_both_are_equal_up_to_the_margin(tmp_path: Path):
    claim = judged(tmp_path, skills={"maml": 0.97, "fomaml": 0.97}, seeds=FIVE, tests=2000)["fomaml-more-accurate"]
    assert claim["verdict"] == "not supported"
    assert claim["measured"].startswith("FOMAML and MAML differ by no more than 0.5 points. ")


def test_claim_1_says_how_much_a_score_on_32_tasks_varies(tmp_path: Path):
    report, runs = finished(tmp_path)
    told = fomaml_leads(Evidence(report, runs, compare_pairs(runs, report.margin), None)).measured
    reach = stats.norm.ppf(0.975) * np.mean([run.scores["accuracy"].std(ddof=1) for run in runs]) / np.sqrt(32)
    assert f"with other draws of 32 tasks a score varies by ±{100 * reach:.2f} points" in told


def test_claim_1_of_one_seed_is_inconclusive_with_the_command_for_more(tmp_path: Path):
    claim = judged(tmp_path)["fomaml-more-accurate"]
    assert claim["verdict"] == "inconclusive"
    assert "seeds=[42,43,44,45,46]" in claim["command"] and "train.iterations=10000" in claim["command"]


def test_claim_2_is_decided_by_the_bench_alone(tmp_path: Path):
    slower = {"batched": {"median": -0.2, "low": -0.3, "high": -0.1}}
    unsure = BENCH | {"learn2learn": {"median": 0.1, "low": -0.1, "high": 0.2}}
    around = {"batched": {"median": 0.1, "low": -0.1, "high": 0.2}}
    for number, (saves, verdict) in enumerate(
        [(BENCH, "supported"), (slower, "not supported"), (around, "inconclusive"), (unsure, "inconclusive")]
    ):
        claim = judged(tmp_path / str(number), saves)["fomaml-faster"]
        assert claim["verdict"] == verdict
        assert ("The verdict only says that FOMAML is faster" in claim["measured"]) == (verdict == "supported")
        assert ("takes less time than a MAML iteration: 40.0%" in claim["measured"]) == (verdict == "supported")
        if verdict == "not supported":
            says = (
                "a FOMAML iteration saves this share of a MAML iteration's time: −20.0% (95% interval −30.0% to −10.0%)"
            )
            assert says in claim["measured"]
    assert "40.0% (95% interval 35.0% to 45.0%) with the batched engine" in claim["measured"]
    assert "10.0% (95% interval −10.0% to 20.0%) with learn2learn's example, which " in claim["measured"]


def test_claim_2_says_which_intervals_include_the_printed_saving(tmp_path: Path):
    inside, outside = {"median": 0.05, "low": 0.0504, "high": 0.06}, {"median": 0.4, "low": 0.0506, "high": 0.5}

    def measured(batched: dict, learn2learn: dict) -> str:
        claim = judged(tmp_path, {"batched": batched, "learn2learn": learn2learn}, tests=40)["fomaml-faster"]
        assert claim["verdict"] == "supported" and claim["statement"] == "FOMAML trains 5.05% faster than MAML."
        return claim["measured"]

    not_on_the_size = "The verdict only says that FOMAML is faster."
    assert "The printed 5.05% is inside every interval." in measured(inside, inside)
    mixed = "The printed 5.05% is inside the interval of learn2learn alone"
    assert f"{mixed}. {not_on_the_size}" in measured(outside, inside)
    neither = f"The printed 5.05% is outside every interval. {not_on_the_size}"
    assert neither in measured(outside, outside)


def test_claim_2_without_a_bench_shows_the_pipelines_times_and_decides_nothing(tmp_path: Path):
    claim = judged(tmp_path / "serial")["fomaml-faster"]
    assert (claim["verdict"], claim["command"]) == ("not tested", "make bench")
    assert "Some CPU @ 2.50GHz" in claim["measured"] and "while other trainings ran" not in claim["measured"]
    assert "while other trainings ran" in judged(tmp_path / "parallel", serial=False)["fomaml-faster"]["measured"]


def test_the_times_and_leads_that_are_shown_are_means_over_seeds(tmp_path: Path):
    report, runs = finished(tmp_path, seeds=FIVE)
    measured = fomaml_is_faster(Evidence(report, runs, [], None)).measured
    for label, part in (("MAML", runs[:5]), ("FOMAML", runs[5:])):
        mean = float(np.mean([run.record.train_seconds for run in part]))
        assert f" {label} {formatting.seconds(mean)} (mean of 5 runs" in measured
    ends = [np.mean([run.history[-1]["validation_accuracy"] for run in part]) for part in (runs[:5], runs[5:])]
    assert validation_leads(runs[:5], runs[5:])[-1] == (10_000, pytest.approx(ends[0] - ends[1]))


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
    assert "points after 9,000 iterations and" in claim["measured"]  # of every 3,000, the nearest to 10,000
    assert "points after 60,000 iterations, as a mean" in claim["measured"]
    assert not re.search(r"\. [a-z]", claim["measured"])


def test_claim_3_is_supported_in_part_where_maml_led_all_along(tmp_path: Path):
    report, runs = finished(tmp_path, skills={"maml": 0.98, "fomaml": 0.95}, seeds=FIVE, iterations=60_000)

    def measured(early: float | None) -> str:
        """Where MAML's validation accuracy was this after 9,000 iterations; FOMAML's was about 0.72."""
        curves = [[row | at(row, early) for row in run.history] for run in runs]
        bent = [replace(r, history=c) if r.algorithm == "maml" else r for r, c in zip(runs, curves, strict=True)]
        verdict = maml_overtakes(Evidence(report, bent, compare_pairs(bent, report.margin), None))
        assert verdict.verdict == "supported"
        return verdict.measured

    def at(row: dict[str, float], early: float | None) -> dict[str, float]:
        return {"validation_accuracy": early} if early and row["iteration"] == 9_000 else {}

    assert "In part: MAML is more accurate in the end, but it led already after 9,000" in measured(0.9)
    assert "In part" not in measured(0.5)
    unseen = [replace(run, history=[{"iteration": 60_000, "seconds": 1.0}]) for run in runs]
    verdict = maml_overtakes(Evidence(report, unseen, compare_pairs(unseen, report.margin), None))
    assert "who was ahead after 10,000 was not observed" in verdict.measured and verdict.verdict == "supported"


def test_claim_4_is_decided_by_the_angle_and_the_lengths(tmp_path: Path):
    assert judged(tmp_path / "far")["first-order-close"]["verdict"] == "not supported"
    assert judged(tmp_path / "near", cosine=0.99)["first-order-close"]["verdict"] == "supported"
    short = judged(tmp_path / "short", iterations=5000)["first-order-close"]
    assert short["verdict"] == "not tested" and "5000, not 10000 or more" in short["measured"]
    one_short = judged(tmp_path / "one-short", cosine=0.99, stopped={"fomaml": 500})["first-order-close"]
    assert one_short["verdict"] == "not tested" and "500, not 10000 or more" in one_short["measured"]


@pytest.mark.parametrize(
    ("maml", "fomaml", "verdict"),
    [
        ([(0.95, 0.9)], [(1.0, 1.1)], "supported"),
        ([(0.949, 1.0)], [(0.99, 0.89)], "not supported"),
        ([(0.99, 1.11)], [(0.99, 1.0)], "inconclusive"),
        ([(0.99, 1.0)] * 2 + [(-1.0, 9.0)], [(0.99, 1.0)], "supported"),
    ],
    ids=["bounds", "beyond", "one of two", "medians"],
)
def test_claim_4_is_decided_by_the_medians_of_every_run(
    tmp_path: Path, maml: list[tuple[float, float]], fomaml: list[tuple[float, float]], verdict: str
):
    report, runs = finished(tmp_path, tests=40)
    aligned = [
        replace(run, alignment=[AlignmentRow(i, "all", *row) for i, row in enumerate(rows)])
        for run, rows in zip(runs, (maml, fomaml), strict=True)
    ]
    assert first_order_is_close(Evidence(report, aligned, [], None)).verdict == verdict


def test_what_very_close_allows_follows_from_its_bounds(tmp_path: Path):
    exact = np.array([3.0, -1.0, 2.0])
    aside = np.array([1.0, 3.0, 0.0])  # at a right angle to it
    approximation = 0.7 * exact + 0.2 * aside
    cosine = approximation @ exact / np.linalg.norm(approximation) / np.linalg.norm(exact)
    ratio = np.linalg.norm(approximation) / np.linalg.norm(exact)
    assert missing_norm(cosine, ratio) == pytest.approx(np.linalg.norm(exact - approximation) / np.linalg.norm(exact))
    ratios = np.linspace(*RATIO)
    assert max(missing_norm(COSINE, ratio) for ratio in ratios) == pytest.approx(0.35, abs=0.005)
    assert np.degrees(np.arccos(COSINE)) == pytest.approx(18, abs=0.5)
    assert "misses at most 0.35 of the norm" in judged(tmp_path)["first-order-close"]["measured"]


def test_on_glyphs_nothing_is_tested_and_nothing_printed_is_repeated(tmp_path: Path):
    claims = judged(tmp_path, BENCH, dataset="glyphs (synthetic)", seeds=FIVE)
    assert len(claims) == 4
    assert "5.05" not in str(claims)
    for claim in claims.values():
        assert (claim["writeup"], claim["verdict"]) == (None, "not tested")
        assert "data.source=omniglot" in claim["command"]
