"""Replicates: pairs on the same tasks within each, the interval over them, and what it covers."""

import re
import shutil
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from ran_experiment import declare, ran
from scipy import stats

from experiments.compare import compare_experiments
from experiments.conclusions import open_questions
from experiments.declared import find_settings, load_experiments, parts_of
from experiments.figures import figure, specification
from experiments.load_record import ExperimentRecord, load_records
from experiments.overlapping_splits import corrected_verdicts
from experiments.power import replicates_needed
from experiments.readme import answer_block
from experiments.replicate_tables import accuracy_differences, cohens_d, differences_table, settled
from experiments.save_record import save_record
from experiments.tables import experiment_block, source_text
from metaglot.core.common.atomic_files import read_json, read_yaml, write_json, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.report.statistics.significance import compare_over_seeds
from stages.support import paths

OVERLAP = 1000.0  # test / train, so large that verdicts change
SKILLS = {"maml": 0.95, "fomaml": 0.9, "scratch": 0.5}
DECLARED = {
    "three": {
        "title": "Three replicates of four",
        "question": "Which is best?",
        "settings": {"algorithms": list(SKILLS)},
        "replicates": [1, 2, 3, 4],
    }
}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    """Three of four replicates; the algorithms' skills differ a little more in each."""
    place = tmp_path_factory.mktemp("replicates")
    with pytest.MonkeyPatch.context() as patch:
        declare(DECLARED, place, patch)
        for number in (1, 2, 3):
            skills = {name: skill + 0.002 * number * len(name) for name, skill in SKILLS.items()}
            save_record(
                f"three/{number}", ran(place / str(number), f"three/{number}", skills=skills), to=place / "docs"
            )
        return load_records(place / "docs")["three"]


def test_a_replicate_draws_everything_from_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(DECLARED, tmp_path, monkeypatch)
    assert parts_of("three") == [f"three/{number}" for number in (1, 2, 3, 4)]
    drawn = {"split.seed": 2, "seeds": [2], "evaluate.seed": 2}
    assert find_settings("three/2") == DECLARED["three"]["settings"] | drawn


def test_two_designs_at_once_are_refused(tmp_path: Path) -> None:
    both = {"a": DECLARED["three"] | {"crossed": {"splits": [1, 2], "tasks": [1, 2]}}}
    (tmp_path / "experiments.yaml").write_text(yaml.safe_dump(both))
    with pytest.raises(UserError, match="vary, replicates, crossed and grid exclude each other"):
        load_experiments(tmp_path / "experiments.yaml")


def test_a_pair_is_scipys_paired_t_test_over_replicates(record: ExperimentRecord) -> None:
    runs = {(run["algorithm"], run["seed"]): run["accuracy"] for run in record.comparison["runs"]}
    assert len(runs) == 9
    for pair in record.comparison["pairs"]:
        ours, theirs = ([runs[name, number] for number in (1, 2, 3)] for name in (pair["first"], pair["second"]))
        test, shown = stats.ttest_rel(ours, theirs), pair["over_seeds"]["accuracy"]
        assert shown["p"] == pytest.approx(test.pvalue, rel=1e-3)
        assert shown["ci95"] == pytest.approx(tuple(test.confidence_interval()), rel=1e-3)
        differences = np.subtract(ours, theirs)
        assert cohens_d(pair) == pytest.approx(differences.mean() / differences.std(ddof=1), rel=1e-3)
        assert pair["family"] == 3


def test_a_replicate_with_its_algorithms_in_another_order_is_merged_by_name(
    record: ExperimentRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(DECLARED, tmp_path, monkeypatch)
    shutil.copytree(record.folder, tmp_path / "docs/three")
    folder = shutil.copytree(record.folder.parents[1] / "2", tmp_path / "2")
    config = read_yaml(folder / paths.REPORT_CONFIG)
    write_yaml(folder / paths.REPORT_CONFIG, config | {"rows": config["rows"][::-1]})
    save_record("three/2", folder, to=tmp_path / "docs")
    reordered = replace(record, folder=tmp_path / "docs/three")
    (first, *_), pairs = (read_json(reordered.folder / "2/comparison.json")[key] for key in ("algorithms", "pairs"))
    assert first["algorithm"] == pairs[0]["first"] == "scratch"
    for key in ("algorithms", "pairs", "baselines"):
        assert reordered.comparison[key] == record.comparison[key]


def test_a_replicate_of_other_algorithms_is_refused_by_name(record: ExperimentRecord, tmp_path: Path) -> None:
    shutil.copytree(record.folder, tmp_path / "three")
    path = tmp_path / "three/3/comparison.json"
    compared = read_json(path)
    write_json(path, compared | {"algorithms": compared["algorithms"][:2]})
    with pytest.raises(UserError, match="replicate 3 has maml, fomaml, and replicate 1 has maml, fomaml, scratch"):
        _ = replace(record, folder=tmp_path / "three").comparison


def test_the_mean_and_its_interval_are_over_replicates(record: ExperimentRecord) -> None:
    row = record.comparison["algorithms"][0]
    values = [run["accuracy"] for run in record.comparison["runs"] if run["algorithm"] == "maml"]
    assert row["accuracy"]["mean"] == pytest.approx(np.mean(values)) and row["accuracy"]["over"] == "replicates"
    interval = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert row["accuracy"]["ci95"] == pytest.approx(interval)


def test_where_a_replicate_permuted_no_labels_there_is_no_spread_over_them(
    record: ExperimentRecord, tmp_path: Path
) -> None:
    shutil.copytree(record.folder, tmp_path / "three")
    path = tmp_path / "three/2/comparison.json"
    spreads = [row["label_permutations"] for row in record.comparison["algorithms"]]
    assert all(spread["tasks"] == 10 and spread["accuracy_std"]["over"] == "replicates" for spread in spreads)
    compared = read_json(path)
    write_json(path, compared | {"algorithms": [r | {"label_permutations": None} for r in compared["algorithms"]]})
    rows = replace(record, folder=tmp_path / "three").comparison["algorithms"]
    assert [row["label_permutations"] for row in rows] == [None] * 3


def test_the_block_says_which_design_it_is(record: ExperimentRecord) -> None:
    text = experiment_block(record, {})
    assert "**So far 3 of 4 replicates: 1, 2 and 3.**" in text and "Over replicates: each draws its split" in text
    assert "once for each replicate: `split.seed`, `seeds` and `evaluate.seed` are 1, 2, 3, 4." in text
    assert "| 3 replicates |" in text and "| algorithm | replicates | test accuracy |" in text
    assert "Against the baselines without meta-learning" in text
    assert "so far 3 of 4 replicates" in open_questions({"three": record})


def test_one_replicate_cannot_tell_which_algorithm_is_better(record: ExperimentRecord, tmp_path: Path) -> None:
    shutil.copytree(record.folder / "1", tmp_path / "three/1")
    one = replace(record, folder=tmp_path / "three")
    text = experiment_block(one, {}) + open_questions({"three": one}) + compare_experiments(one, record)
    assert "one seed" not in text.lower() and text.count("inconclusive (one replicate)") == 3 + 2 + 3
    for told in ("it is the better algorithm. It was", "MAML and FOMAML beat From scratch."):
        assert f"One replicate cannot tell whether {told}" in text
    assert text.count("One replicate compares two networks. It cannot tell which algorithm is better, ") == 3


def test_the_figure_shows_every_replicate_and_the_differences_from_the_best(record: ExperimentRecord) -> None:
    chart, compared = specification(record), record.comparison
    accuracies, differences = (
        [chart["datasets"][layer["data"]["name"]] for layer in panel["layer"]] for panel in chart["hconcat"]
    )
    assert [dot["value"] for dot in accuracies[1]] == [run["accuracy"] for run in compared["runs"]]
    assert [[bar["low"], bar["high"]] for bar in accuracies[0]] == [
        row["accuracy"]["ci95"] for row in compared["algorithms"]
    ]
    best, second, third = (row["accuracy"]["mean"] for row in compared["algorithms"])
    values = [100 * (second - best), 100 * (third - best)]
    assert [bar["value"] for bar in differences[1]] == pytest.approx(values)
    for text in (
        "test accuracy, logarithmic in the error",
        "minus MAML, points; the band is ±0.5 points",
        "From scratch",
    ):
        assert text in figure(record)


def test_readme_has_the_answer_and_how_many_pairs_are_settled(record: ExperimentRecord) -> None:
    text, shown = answer_block(record).split("\n\n")
    said = " ".join(text.split())
    answers = f"{record.comparison['answer']} {record.comparison['baselines']['answer']}"
    assert said.startswith(f"{answers} Settled (not inconclusive): ")
    ending = (
        r"; corrected for splits that overlap \(Nadeau and Bengio 2003\), \d. So far 3 of 4 replicates: 1, 2 and 3.$"
    )
    assert re.search(ending, said) and "](docs/figures/three.svg)" in shown


def test_an_answer_without_results_says_how_to_get_them(record: ExperimentRecord, tmp_path: Path) -> None:
    missing = replace(record, folder=tmp_path / "three")
    assert answer_block(missing) == "Not run: `python -m experiments run three`, time not measured."


def test_each_pair_has_its_corrected_verdict_where_splits_overlap(record: ExperimentRecord) -> None:
    header, rows = differences_table(record.comparison, OVERLAP)
    assert header[-2:] == ["verdict on the first", "corrected for overlap"]  # no pair is open
    pairs = record.comparison["pairs"]
    verdicts = corrected_verdicts([accuracy_differences(pair) for pair in pairs], record.comparison["margin"], OVERLAP)
    named = {" − ".join(pair["labels"]): verdict for pair, verdict in zip(pairs, verdicts, strict=True)}
    assert {row[0]: row[-1] for row in rows} == named
    assert [row[-2:] for row in rows].count(["better", "inconclusive"]) == 2


def test_what_the_correction_leaves_open_of_the_best_s_lead_is_named(
    record: ExperimentRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("experiments.replicate_tables.shared_fraction", lambda split: OVERLAP)
    ending = ", 1. So corrected, MAML's difference from FOMAML and From scratch is inconclusive."
    assert settled(record).endswith(ending)
    monkeypatch.setattr("experiments.replicate_tables.shared_fraction", lambda split: 0.0)
    assert settled(record).endswith("2003), 3.")


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (["a" * 40] * 3, "; commit aaaaaaaaaaaa; "),
        (["b" * 40, "a" * 40, "b" * 40], "; commits aaaaaaaaaaaa and bbbbbbbbbbbb; "),
        (["a" * 40, None, "a" * 40], "; commit aaaaaaaaaaaa and code in no commit of this project; "),
        ([None] * 3, "; code in no commit of this project; "),
    ],
)
def test_every_commit_that_computed_a_replicate_is_named(
    record: ExperimentRecord, tmp_path: Path, codes: list[str | None], text: str
) -> None:
    shutil.copytree(record.folder, tmp_path / "three")
    for number, code in enumerate(codes, start=1):
        path = tmp_path / f"three/{number}/about.json"
        write_json(path, read_json(path) | {"code": code})
    assert text in source_text(replace(record, folder=tmp_path / "three"))


def test_the_replicates_that_both_have_decide_whether_the_tasks_are_the_same(
    record: ExperimentRecord, tmp_path: Path
) -> None:
    def with_tasks(name: str, hashes: dict[int, str]) -> ExperimentRecord:
        for number, tasks in hashes.items():
            part = shutil.copytree(record.folder / str(number), tmp_path / name / str(number))
            compared = read_json(part / "comparison.json")
            evaluate = compared["evaluate"] | {"tasks_sha256": tasks}
            write_json(part / "comparison.json", compared | {"evaluate": evaluate})
        return replace(record, name=name, folder=tmp_path / name)

    first, same = with_tasks("first", {1: "a", 2: "b"}), with_tasks("same", {2: "b", 3: "c"})
    assert compare_experiments(first, same).startswith("Compared with `same`, on the same test tasks,")
    others = with_tasks("others", {2: "a", 3: "b"})
    assert compare_experiments(first, others).startswith("Compared with `others`, each on its own test tasks,")


def test_without_a_common_replicate_nothing_is_compared(record: ExperimentRecord, tmp_path: Path) -> None:
    for name, number in (("first", 1), ("others", 2)):
        shutil.copytree(record.folder / str(number), tmp_path / name / str(number))
    first, others = (replace(record, name=name, folder=tmp_path / name) for name in ("first", "others"))
    assert compare_experiments(first, others) == "Not compared with `others`: no replicate is in both."


def test_open_pairs_say_how_many_replicates_would_settle_them(record: ExperimentRecord) -> None:
    compared = deepcopy(record.comparison)
    for pair, differences in zip(
        compared["pairs"], ((0.1, 0.1, 0.11), (0.01, 0.03, -0.02), (0, 1e-4, 1e-4)), strict=True
    ):
        for seed, difference in zip(pair["by_seed"], differences, strict=True):
            seed["accuracy"]["difference"] = difference
        pair["verdict"] = "inconclusive" if min(differences) < 0 else "better"
    table = differences_table(compared, None)
    assert table.header[-3:] == ["Cohen's d", "verdict on the first", "replicates to settle it"]
    assert "over characters" not in table.header  # over replicates there is no such interval
    needed = replicates_needed(np.array([0.01, 0.03, -0.02]), compared["margin"], family=3)
    assert sorted(cells[-2:] for cells in table.rows) == [["better", ""], ["better", ""], ["inconclusive", str(needed)]]


def test_the_power_is_that_of_statsmodels() -> None:
    from statsmodels.stats.power import TTestPower

    differences = np.array([0.01, 0.03, -0.01, 0.02])
    effect = differences.mean() / differences.std(ddof=1)
    exact = TTestPower().solve_power(effect, power=0.8, alpha=0.05 / 6, alternative="two-sided")
    assert replicates_needed(differences, margin=0.0001, family=6) == int(np.ceil(exact))
    assert replicates_needed(np.array([0.101, -0.1]), margin=0.0001, family=1) is None
    assert replicates_needed(np.array([0.101, 0.1]), margin=0.0001, family=1) == 2


@pytest.mark.parametrize("mean", [0.0, 0.002])
@pytest.mark.parametrize("family", [1, 66])
def test_the_number_within_the_margin_has_the_power_of_both_one_sided_tests(mean: float, family: int) -> None:
    """Simulated: 80% of the experiments with that number show it, and fewer with one replicate less."""
    margin, deviation = 0.005, 0.005
    needed = replicates_needed(mean + deviation * np.array([1, -1]) / np.sqrt(2), margin, family)
    assert needed is not None
    random = np.random.default_rng(0)

    def power(number: int) -> float:
        differences = random.normal(mean, deviation, (40_000, number))
        beyond = [stats.ttest_1samp(differences, bound, axis=1, alternative=side).pvalue for bound, side in sides]
        return float(np.mean(np.maximum(*beyond) < 0.05 / family))

    sides = ((-margin, "greater"), (margin, "less"))
    error = np.sqrt(0.8 * 0.2 / 40_000)
    assert power(needed) > 0.8 - 3 * error and power(needed - 1) < 0.8 + 3 * error


def simulated_differences(random: np.random.Generator, splits: int, runs: int) -> np.ndarray:
    """[splits, runs]: mean differences of two algorithms over tasks that share the characters of a split."""
    characters = random.normal(0, 0.02, (splits, 1, 60))
    drawn = random.integers(0, 60, (splits, 1, 100 * 5))
    tasks = np.take_along_axis(characters, drawn, axis=2).reshape(splits, 1, 100, 5).mean(3)
    networks = random.normal(0, 0.003, (splits, runs, 1))
    noise = random.normal(0, 0.05, (splits, runs, 100))
    return (0.01 + tasks + networks + noise).mean(2)


def covers(differences: np.ndarray) -> bool:
    interval = compare_over_seeds(differences, None).ci95
    assert interval is not None
    return interval[0] <= 0.01 <= interval[1]


@pytest.mark.parametrize("replicates", [3, 5, 10])
def test_the_95_percent_interval_over_replicates_covers_95_percent(replicates: int) -> None:
    random = np.random.default_rng(0)
    covered = [covers(simulated_differences(random, replicates, 1)[:, 0]) for _ in range(2000)]
    assert 0.938 < np.mean(covered) < 0.962  # 2.5 standard errors


def test_an_interval_over_seeds_of_one_split_does_not_cover_other_characters() -> None:
    random = np.random.default_rng(0)
    covered = [covers(simulated_differences(random, 1, 5)[0]) for _ in range(500)]
    assert np.mean(covered) < 0.9
