import re
import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dvc.utils.hydra import apply_overrides
from finished_pipeline import LABELS, finished
from params_file import changed, text
from scipy import stats
from small_workspace import workspace
from statsmodels.stats.proportion import proportions_ztest

from metaglot.algorithms.table import ALGORITHMS
from metaglot.config import ReportConfig, TrainConfig, load
from metaglot.params import read
from metaglot.report import writeup
from metaglot.report.claims import CLAIMS, claims
from metaglot.report.comparison import pairs
from metaglot.report.evidence import Evidence, experiment, more
from metaglot.report.judge_accuracy import maml_overtakes
from metaglot.report.judge_approximation import COSINE, RATIO, first_order_is_close, left_out, whole
from metaglot.report.record import comparison
from metaglot.report.standing import find
from metaglot.resolution import find as classes
from metaglot.resolution import resolve
from stages import paths
from stages.evaluate import main as evaluate
from stages.report import read as read_run_of
from stages.train import main as train

FIVE = (42, 43, 44, 45, 46)
OTHERWISE = {
    "data.source": "glyphs",
    "data.image_size": 20,
    "first_order": True,
    "algorithms": ["anil"],
    "split.kind": "background",
    "split.train": 1000,
    "split.validation": 50,
    "split.test": 400,
    "task": {"ways": 4, "shots": 1, "queries": 1, "rotations": "none"},
    "model": "conv",
    "train.iterations": 7,
    "train.meta_batch_size": 16,
    "train.meta_lr": 0.1,
    "train.fast_lr": 0.1,
    "train.adaptation_steps": 2,
    "evaluate.adaptation_steps": 2,
    "settings.maml": {"fast_lr": 0.1},
}
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
    assert f"{writeup.SAVED:.2%} faster" in CLAIMS[1].statement
    assert saved == pytest.approx(writeup.SAVED, abs=1e-4)


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
    assert "seeds=[42,43,44,45,46]" in claim["command"] and "train.iterations=10000" in claim["command"]


def test_the_way_to_learn_more_is_the_same_experiment_from_more_seeds(tmp_path: Path):
    same = {"maml": 0.97, "fomaml": 0.9701}
    options = {"skills": same, "seeds": FIVE, "iterations": 60_000, "task": {"rotations": "task"}, "tests": 60}
    claim = judged(tmp_path, **options)["maml-overtakes"]
    assert claim["verdict"] == "inconclusive"
    assert "train.iterations=60000" in claim["command"] and "task.rotations=task" in claim["command"]
    assert "seeds=[42,43,44,45,46,47,48,49,50,51]" in claim["command"]


@pytest.mark.parametrize(("seeds", "wanted"), [([7], 5), ([1, 2], 5), ([1, 2, 3, 4], 8), ([2**32 - 1, 0], 5)])
def test_more_seeds_are_those_that_were_run_and_new_ones(seeds: list[int], wanted: int):
    found = more(seeds)
    assert found[: len(seeds)] == seeds and len(set(found)) == len(found) == wanted
    assert all(0 <= seed < 2**32 for seed in found)


@pytest.mark.parametrize(
    "options",
    [{"skills": {"maml": 0.97}}, {"first_order": {"maml": True}, "labels": {"maml": "MAML (first_order=true)"}}],
    ids=["one algorithm", "both first-order"],
)
def test_the_claims_on_accuracy_need_both_algorithms(tmp_path: Path, options: dict[str, Any]):
    found = judged(tmp_path, seeds=(1, 2), **options)
    assert {found[claim]["verdict"] for claim in ("fomaml-more-accurate", "maml-overtakes")} == {"not tested"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": {"ways": 4}}, "task.ways 4, not 5"),
        ({"task": {"shots": 1}}, "task.shots 1, not 5"),
        ({"task": {"queries": 15}}, "task.queries 15, not 5"),
        ({"task": {"rotations": "none"}}, "task.rotations none, not class or task"),
        ({"kind": "background"}, "split.kind background, not random"),
        ({"model": "conv"}, "model conv, not fc"),
        ({"image_size": 20}, "data.image_size 20, not 28"),
        ({"train": {"meta_batch_size": 16}}, "train.meta_batch_size 16, not 32"),
        ({"train": {"meta_lr": 0.001}}, "train.meta_lr 0.001, not 0.003"),
        ({"train": {"fast_lr": 2.0}}, "train.fast_lr 2.0, not 0.5"),
        ({"train": {"adaptation_steps": 5}}, "train.adaptation_steps 5, not 1"),
        ({"adaptation_steps": 3}, "evaluate.adaptation_steps 3, not 1"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_in_another_setting_the_claims_are_not_tested_and_nothing_printed_stands_beside_it(
    tmp_path: Path, options: dict[str, Any], said: str
):
    folders = {"fomaml-more-accurate": 10_000, "first-order-close": 10_000, "maml-overtakes": 60_000}
    for claim, iterations in folders.items():
        report, runs = finished(tmp_path / claim, iterations=iterations, seeds=(1, 2), tests=40, **options)
        compared = comparison(report, runs, None)
        found = next(one for one in compared["claims"] if one["id"] == claim)
        assert found["verdict"] == "not tested" and said in found["measured"]
        assert f"train.iterations={iterations}" in found["command"]
        assert [row["writeup"] for row in compared["algorithms"]] == [None, None]


def test_what_changes_no_number_is_no_other_setting(tmp_path: Path):
    options = {"train": {"engine": "learn2learn", "validate_every": 7, "validation_tasks": 3}}
    for number, turned in enumerate(("class", "task")):
        found = judged(tmp_path / str(number), seeds=FIVE, task={"rotations": turned}, **options)
        assert found["fomaml-more-accurate"]["verdict"] == "not supported"


def test_the_command_makes_the_write_ups_setting_of_any_params(tmp_path: Path):
    """DVC's own reading of it, on params that are wrong in all that the claims depend on."""
    (tmp_path / "params.yaml").write_bytes(text(changed(OTHERWISE)))
    words = shlex.split(experiment(10_000))
    apply_overrides(str(tmp_path / "params.yaml"), [word for flag, word in pairwise(words) if flag == "-S"])
    params = read((tmp_path / "params.yaml").read_bytes(), classes(ALGORITHMS))
    found = params.model_dump()
    for key, value in writeup.SETTING.items():
        section, _, name = key.partition(".")
        assert (found[section][name] if name else found[section]) == value, key
    files = resolve(params, classes(ALGORITHMS))
    assert {params.task.rotations, params.first_order, params.train.iterations} == {"class", False, 10_000}
    assert {name.split("/")[0] for name in files if "/" in name} == {"maml", "fomaml"}
    trained = [section.train for section in files.values() if isinstance(section, TrainConfig)]
    assert [train.fast_lr for train in trained] == [0.5, 0.5]


def test_other_algorithms_iterations_are_not_those_of_the_claims(tmp_path: Path):
    report, runs = finished(tmp_path, skills={"maml": 0.95, "fomaml": 0.98, "anil": 0.9}, seeds=FIVE)
    longer = [replace(run, history=[{"iteration": 60_000}]) if run.algorithm == "anil" else run for run in runs]
    evidence = Evidence(report, longer, pairs(longer, report.margin), None)
    found = {claim["id"]: claim["verdict"] for claim in claims(evidence)}
    assert found["fomaml-more-accurate"] == "supported" and found["maml-overtakes"] == "not tested"


def test_the_claims_comparison_is_the_only_one_of_its_family(tmp_path: Path):
    """Declared in advance, it is not corrected for what else was run: scipy's paired test of the means as they are."""
    report, runs = finished(tmp_path, skills=dict.fromkeys(LABELS, 0.96) | {"maml": 0.9605}, seeds=FIVE, tests=100)
    means = {name: [r.result.accuracy.mean for r in runs if r.algorithm == name] for name in ("maml", "fomaml")}
    p = stats.ttest_rel(means["fomaml"], means["maml"]).pvalue
    found = Evidence(report, runs, pairs(runs, report.margin), None).standing("fomaml")
    assert found is not None and found.family == 1
    assert found.p == pytest.approx(p)
    assert find(pairs(runs, report.margin), "fomaml", "maml").p > p  # type: ignore[union-attr]


def test_claim_2_is_decided_by_the_bench_alone(tmp_path: Path):
    slower = {"batched": {"median": -0.2, "low": -0.3, "high": -0.1}}
    unsure = BENCH | {"learn2learn": {"median": 0.1, "low": -0.1, "high": 0.2}}
    for number, (saves, verdict) in enumerate(
        [(BENCH, "supported"), (slower, "not supported"), (unsure, "inconclusive")]
    ):
        claim = judged(tmp_path / str(number), saves)["fomaml-faster"]
        assert claim["verdict"] == verdict
    assert "batched: 40.0% (95% interval 35.0% to 45.0%)" in claim["measured"]


def test_claim_2_says_which_intervals_hold_the_printed_size(tmp_path: Path):
    holds, misses = {"median": 0.05, "low": 0.0504, "high": 0.06}, {"median": 0.4, "low": 0.0506, "high": 0.5}

    def said(batched: dict, learn2learn: dict) -> str:
        found = judged(tmp_path, {"batched": batched, "learn2learn": learn2learn}, tests=40)["fomaml-faster"]
        assert found["verdict"] == "supported" and found["statement"] == "FOMAML trains 5.05% faster than MAML."
        return found["measured"]

    not_on_the_size = "the verdict is on whether it is faster, not on the size."
    assert "5.05% lies in the interval of batched and learn2learn." in said(holds, holds)
    mixed = "5.05% lies in the interval of learn2learn; 5.05% lies outside of the interval of batched"
    assert f"{mixed}: {not_on_the_size}" in said(misses, holds)
    neither = f"5.05% lies outside of the interval of batched and learn2learn: {not_on_the_size}"
    assert neither in said(misses, misses)


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
    assert "points after 9,000 iterations and" in claim["measured"]  # of every 3,000, the nearest to 10,000
    assert "points after 60,000 iterations, as a mean" in claim["measured"]
    assert not re.search(r"\. [a-z]", claim["measured"])


def test_claim_3_is_supported_in_part_where_maml_led_all_along(tmp_path: Path):
    report, runs = finished(tmp_path, skills={"maml": 0.98, "fomaml": 0.95}, seeds=FIVE, iterations=60_000)

    def measured(early: float | None) -> str:
        """Where MAML's validation accuracy was this after 9,000 iterations; FOMAML's was about 0.72."""
        curves = [[row | at(row, early) for row in run.history] for run in runs]
        bent = [replace(r, history=c) if r.algorithm == "maml" else r for r, c in zip(runs, curves, strict=True)]
        found = maml_overtakes(Evidence(report, bent, pairs(bent, report.margin), None))
        assert found.verdict == "supported"
        return found.measured

    def at(row: dict[str, float], early: float | None) -> dict[str, float]:
        return {"validation_accuracy": early} if early and row["iteration"] == 9_000 else {}

    assert "In part: MAML is more accurate in the end, but it led already after 9,000" in measured(0.9)
    assert "In part" not in measured(0.5)
    unseen = [replace(run, history=[{"iteration": 60_000, "seconds": 1.0}]) for run in runs]
    found = maml_overtakes(Evidence(report, unseen, pairs(unseen, report.margin), None))
    assert "who was ahead after 10,000 was not observed" in found.measured and found.verdict == "supported"


def test_claim_4_is_decided_by_the_angle_and_the_lengths(tmp_path: Path):
    assert judged(tmp_path / "far")["first-order-close"]["verdict"] == "not supported"
    assert judged(tmp_path / "near", cosine=0.99)["first-order-close"]["verdict"] == "supported"
    short = judged(tmp_path / "short", iterations=5000)["first-order-close"]
    assert short["verdict"] == "not tested" and "5000, not 10000 or more" in short["measured"]


def test_claim_4_is_about_no_algorithm_but_maml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real training of ANIL's, which measures the like of itself, and is of neither order by its record."""
    monkeypatch.chdir(workspace(tmp_path, algorithms=["anil"], train__meta_batch_size=4))
    train("anil", 42)
    evaluate("anil", 42)
    config = load(ReportConfig, paths.REPORT_CONFIG)
    anil = read_run_of(config.rows[0])
    assert anil.result.first_order is False and len(whole(anil)) > 1
    far = first_order_is_close(Evidence(config, [anil], [], None))
    assert (far.verdict, far.measured) == ("not tested", "No run of MAML or FOMAML measured both meta-gradients.")
    report, runs = finished(tmp_path / "beside", cosine=0.99)
    near = Evidence(report, runs, [], None)
    assert first_order_is_close(near).verdict == "supported"
    assert first_order_is_close(replace(near, runs=[*runs, anil])) == first_order_is_close(near)


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
    assert "5.05" not in str(found)
    for claim in found.values():
        assert (claim["writeup"], claim["verdict"]) == (None, "not tested")
        assert "data.source=omniglot" in claim["command"]
