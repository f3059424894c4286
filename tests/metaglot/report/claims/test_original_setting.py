"""Claims are tested by runs of MAML and FOMAML in the original study's setting; otherwise a command is given."""

import shlex
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from finished_pipeline import LABELS, finished
from judged import FIVE, judged
from params_file import changed, text
from scipy import stats
from small_workspace import workspace

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes as classes
from metaglot.config.resolve import resolve
from metaglot.core.common.dotted_keys import flatten
from metaglot.core.common.stage_configs import TrainStageConfig, load_stage_config
from metaglot.report import original_study
from metaglot.report.claims.approximation import first_order_is_close, whole_network
from metaglot.report.claims.conclusions import claims
from metaglot.report.claims.evidence import Evidence, add_seeds
from metaglot.report.comparison import compare_runs
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.pairs import compare_pairs, find_pair
from metaglot.report.statistics.pairwise_result import pairwise_result
from stages.evaluate import main as evaluate
from stages.report import read as read_run_of
from stages.support import paths
from stages.train import main as train

OTHERWISE = {
    "data.source": "glyphs",
    "data.image_size": 20,
    "first_order": True,
    "algorithms": ["anil"],
    "split.kind": "background",
    "split.train": 1000,
    "split.validation": 50,
    "split.test": 400,
    "task": {"ways": 4, "shots": 1, "queries": 1, "rotations": "none", "characters": "alphabet"},
    "model": "conv",
    "train.iterations": 7,
    "train.meta_batch_size": 16,
    "train.meta_lr": 0.1,
    "train.fast_lr": 0.1,
    "train.adaptation_steps": 2,
    "evaluate.adaptation_steps": 2,
    "settings.maml": {"fast_lr": 0.1},
}


def test_the_way_to_learn_more_is_the_same_experiment_from_more_seeds(tmp_path: Path):
    same = {"maml": 0.97, "fomaml": 0.9701}
    options = {"skills": same, "seeds": FIVE, "iterations": 60_000, "task": {"rotations": "task"}, "tests": 60}
    claim = judged(tmp_path, **options)["maml-overtakes"]
    assert claim["verdict"] == "inconclusive"
    assert "train.iterations=60000" in claim["command"] and "task.rotations=task" in claim["command"]
    assert "seeds=[42,43,44,45,46,47,48,49,50,51]" in claim["command"]


@pytest.mark.parametrize(("seeds", "wanted"), [([7], 5), ([1, 2], 5), ([1, 2, 3, 4], 8), ([2**32 - 1, 0], 5)])
def test_more_seeds_are_those_that_were_run_and_new_ones(seeds: list[int], wanted: int):
    extended = add_seeds(seeds)
    assert extended[: len(seeds)] == seeds and len(set(extended)) == len(extended) == wanted
    assert all(0 <= seed < 2**32 for seed in extended)


@pytest.mark.parametrize(
    "options",
    [
        {"skills": {"maml": 0.97}},
        {"first_order": {"maml": True}, "labels": {"maml": "MAML (first_order=true)"}},
        {"stopped": {"maml": 9000}},
    ],
    ids=["one algorithm", "both first-order", "unlike iterations"],
)
def test_the_claims_on_accuracy_need_both_algorithms(tmp_path: Path, options: dict[str, Any]):
    claims_by_id = judged(tmp_path, seeds=(1, 2), **options)
    assert {claims_by_id[claim]["verdict"] for claim in ("fomaml-more-accurate", "maml-overtakes")} == {"not tested"}


@pytest.mark.parametrize(
    ("options", "departure"),
    [
        ({"task": {"ways": 4}}, "task.ways 4, not 5"),
        ({"task": {"shots": 1}}, "task.shots 1, not 5"),
        ({"task": {"queries": 15}}, "task.queries 15, not 5"),
        ({"task": {"characters": "alphabet"}}, "task.characters alphabet, not any"),
        ({"task": {"rotations": "none"}}, "task.rotations none, not class or task"),
        ({"kind": "background"}, "split.kind background, not random"),
        ({"model": "conv"}, "model conv, not fc"),
        ({"image_size": 20}, "data.image_size 20, not 28"),
        ({"train": {"meta_batch_size": 16}}, "train.meta_batch_size 16, not 32"),
        ({"train": {"meta_lr": 0.001}}, "train.meta_lr 0.001, not 0.003"),
        ({"train": {"fast_lr": 2.0}}, "train.fast_lr 2.0, not 0.5"),
        ({"train": {"adaptation_steps": 5}}, "train.adaptation_steps 5, not 1"),
        ({"adaptation_steps": 3}, "evaluate.adaptation_steps 3, not 1"),
        ({"test_split": "/print/test.npz"}, "evaluate.test_split /print/test.npz, not data/splits/test.npz"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_in_another_setting_the_claims_are_not_tested_and_nothing_printed_stands_beside_it(
    tmp_path: Path, options: dict[str, Any], departure: str
):
    iterations_needed = {"fomaml-more-accurate": 10_000, "first-order-close": 10_000, "maml-overtakes": 60_000}
    for claim, iterations in iterations_needed.items():
        report, runs = finished(tmp_path / claim, iterations=iterations, seeds=(1, 2), tests=40, **options)
        compared = compare_runs(report, runs, None)
        tested = next(row for row in compared["claims"] if row["id"] == claim)
        assert tested["verdict"] == "not tested" and departure in tested["measured"]
        assert f"train.iterations={iterations}" in tested["command"]
        assert [row["writeup"] for row in compared["algorithms"]] == [None, None]


def test_what_changes_no_number_is_no_other_setting(tmp_path: Path):
    options = {"train": {"engine": "learn2learn", "validate_every": 7, "validation_tasks": 3}}
    for number, turned in enumerate(("class", "task")):
        claims_by_id = judged(tmp_path / str(number), seeds=FIVE, task={"rotations": turned}, **options)
        assert claims_by_id["fomaml-more-accurate"]["verdict"] == "not supported"


def command(changes: dict[str, Any]) -> str:
    """The command that a report on params with these changes gives."""
    params = parse_params(text(changed(changes)), classes(ALGORITHMS))
    report = resolve(params, classes(ALGORITHMS))["report.yaml"]
    assert isinstance(report, ReportStageConfig)
    return Evidence(report, [], [], None).experiment(10_000)


def test_the_command_names_only_what_differs_from_params_yaml():
    assert command({"algorithms": ["maml", "fomaml"]}) == "dvc exp run --temp -S 'seeds=[42,43,44,45,46]'"
    more_iterations = {"seeds": [42, 43, 44, 45, 46], "train.iterations": 500, "settings.maml": {"fast_lr": 0.1}}
    scaled = {"seeds": [42, 43, 44, 45, 46], "settings.maml.second_order": 0.5}
    assert command(scaled) == "dvc exp run --temp -S '~settings.maml'"
    assert command(more_iterations) == "dvc exp run --temp -S train.iterations=10000 -S '~settings.maml'"


@pytest.mark.parametrize("possible", [{"model": "fc"}, {"data.image_size": 28}])
def test_the_command_makes_the_original_study_s_setting_of_any_params(tmp_path: Path, possible: dict[str, Any]):
    """DVC's own reading of it, on params that are wrong in all that the claims depend on and that can be together."""
    (tmp_path / "params.yaml").write_bytes(text(changed(OTHERWISE | possible)))
    words = shlex.split(command(OTHERWISE | possible))
    apply_overrides(str(tmp_path / "params.yaml"), [word for flag, word in pairwise(words) if flag == "-S"])
    params = parse_params((tmp_path / "params.yaml").read_bytes(), classes(ALGORITHMS))
    content = dict(flatten(params.model_dump()))
    assert {key: content[key] for key in original_study.SETTING} == original_study.SETTING
    files = resolve(params, classes(ALGORITHMS))
    assert {params.task.rotations, params.first_order, params.train.iterations} == {"class", False, 10_000}
    assert {name.split("/")[0] for name in files if "/" in name} == {"maml", "fomaml"}
    trained = [section.train for section in files.values() if isinstance(section, TrainStageConfig)]
    assert [train.fast_lr for train in trained] == [0.5, 0.5]


def test_other_algorithms_iterations_are_not_those_of_the_claims(tmp_path: Path):
    report, runs = finished(tmp_path, skills={"maml": 0.95, "fomaml": 0.98, "anil": 0.9}, seeds=FIVE)
    longer = [replace(run, history=[{"iteration": 60_000}]) if run.algorithm == "anil" else run for run in runs]
    evidence = Evidence(report, longer, compare_pairs(longer, report.margin), None)
    verdicts = {claim["id"]: claim["verdict"] for claim in claims(evidence)}
    assert verdicts["fomaml-more-accurate"] == "supported" and verdicts["maml-overtakes"] == "not tested"


def test_the_claims_comparison_is_the_only_one_of_its_family(tmp_path: Path):
    """Declared in advance, it is not corrected for what else was run: scipy's paired test of the means as they are."""
    report, runs = finished(tmp_path, skills=dict.fromkeys(LABELS, 0.96) | {"maml": 0.9605}, seeds=FIVE, tests=100)
    means = {name: [r.result.accuracy.mean for r in runs if r.algorithm == name] for name in ("maml", "fomaml")}
    p = stats.ttest_rel(means["fomaml"], means["maml"]).pvalue
    pairs = compare_pairs(runs, report.margin)
    claimed = Evidence(report, runs, pairs, None).pairwise_result("fomaml")
    among_all = find_pair(pairs, "fomaml", "maml")
    assert claimed is not None and among_all is not None and claimed.family == 1
    assert claimed.p == pytest.approx(p)
    assert pairwise_result(among_all, "fomaml").p > p  # type: ignore[operator]


def test_claim_4_is_about_no_algorithm_but_maml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real training of ANIL's, which measures the like of itself, and is of neither order by its record."""
    monkeypatch.chdir(workspace(tmp_path, algorithms=["anil"], train__meta_batch_size=4))
    train("anil", 42)
    evaluate("anil", 42)
    config = load_stage_config(ReportStageConfig, paths.REPORT_CONFIG)
    anil = read_run_of(config.rows[0])
    assert anil.result.first_order is False and len(whole_network(anil)) > 1
    far = first_order_is_close(Evidence(config, [anil], [], None))
    assert (far.verdict, far.measured) == ("not tested", "No run of MAML or FOMAML measured both meta-gradients.")
    report, runs = finished(tmp_path / "beside", cosine=0.99)
    near = Evidence(report, runs, [], None)
    assert first_order_is_close(near).verdict == "supported"
    assert first_order_is_close(replace(near, runs=[*runs, anil])) == first_order_is_close(near)
