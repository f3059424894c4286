"""Our results compared with published ones, and with those of another experiment."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ran_experiment import ran
from scipy import stats

from experiments.compare import compare_experiments, comparison_row
from experiments.load_record import ExperimentRecord, load_records
from experiments.published_table import agreement, cell_table, curve_table, published_number
from experiments.save_record import save_record
from metaglot.core.common.atomic_files import read_json
from metaglot.report import formatting

FC = "fully connected, 256-128-64-64"
CI = published_number("MAML", FC, "5-way 1-shot")  # 89.7 ± 1.1
STD = published_number("FOMAML", "fully connected", "5-way 5-shot")  # 97.50 ± 0.47
NONE = published_number("ProtoNet", "4 convolutions", "5-way 1-shot")  # 98.8


@pytest.mark.parametrize(
    ("ours", "paper", "expected"),
    [
        (0.897, CI, "within the paper's interval"),
        (0.9079, CI, "within the paper's interval"),
        (0.8861, CI, "within the paper's interval"),
        (0.908000005, CI, "within the paper's interval"),  # 45,400 queries of 50,000, a mean in float32
        (0.9082, CI, "above the paper's interval: +1.12 points"),
        (0.85, CI, f"below the paper's interval: {formatting.MINUS}4.70 points"),
        (0.975, STD, "+0.00 points; it has no 95% interval"),
        (0.99, NONE, "+0.20 points; it has no 95% interval"),
    ],
)
def test_only_a_95_percent_interval_can_be_agreed_with(ours: float, paper: Any, expected: str) -> None:
    assert agreement(ours, paper) == expected


def test_a_name_that_no_paper_has_is_an_error() -> None:
    with pytest.raises(KeyError):
        published_number("MAML", "fully disconnected", "5-way 1-shot")


@pytest.fixture(scope="module")
def known(findings: Path) -> dict[str, ExperimentRecord]:
    """Both engines, one from two seeds, and a published cell."""
    return load_records(findings)


def test_a_cell_shows_ours_then_what_was_published(known: dict[str, ExperimentRecord]) -> None:
    record = known["paper-5way-5shot"]
    table = cell_table(record)
    compared = read_json(record.folder / "comparison.json")["algorithms"]
    assert [row[0] for row in table.rows] == ["MAML", "FOMAML"]
    for shown, ours in zip(table.rows, compared, strict=True):
        cells = dict(zip(table.header, shown, strict=True))
        assert cells["test accuracy"].startswith(f"{ours['accuracy']['mean']:.2%} [")
        assert cells["inductive"].startswith(f"{ours['inductive_accuracy']['mean']:.2%} [")
        assert cells["iterations"] == "60,000"
    assert table.rows[0][4:7] == ["97.5 ± 0.6", "± is a 95% interval; MAML's over 600 test tasks", CI.source]
    assert table.rows[1][4:7] == ["97.50 ± 0.47", STD.meaning, "PaddleFSL"]


def test_ours_is_compared_in_the_mode_of_the_paper(tmp_path: Path) -> None:
    """ProtoNet's number is inductive, MAML's and FOMAML's are transductive."""
    save_record("conv-20way-1shot", ran(tmp_path / "ran", "conv-20way-1shot"), to=tmp_path / "docs")
    record = load_records(tmp_path / "docs")["conv-20way-1shot"]
    rows = {row["label"]: row for row in record.comparison["algorithms"]}
    shown = {row[0]: dict(zip(cell_table(record).header, row, strict=True)) for row in cell_table(record).rows}
    for label, ours, mode in (
        ("ProtoNet", "inductive_accuracy", "inductive"),
        ("MAML", "accuracy", "transductive"),
        ("FOMAML", "accuracy", "transductive"),
    ):
        paper = published_number(*record.experiment.published[rows[label]["algorithm"]], "20-way 1-shot")
        assert (paper.mode, shown[label]["compared"]) == (mode, mode)
        assert shown[label]["agreement"] == agreement(rows[label][ours]["mean"], paper)
    assert rows["ProtoNet"]["accuracy"]["mean"] != rows["ProtoNet"]["inductive_accuracy"]["mean"]


def test_a_curve_is_shown_at_the_quarters_of_the_training(known: dict[str, ExperimentRecord]) -> None:
    record = known["paper-5way-5shot"]
    table = curve_table(record)
    assert [row[0] for row in table.rows] == ["MAML · seed 42", "FOMAML · seed 42"]
    validated = {row["iteration"]: float(row["validation_accuracy"]) for row in record.curves if "FOMAML" in row["run"]}
    for quarter, cell in enumerate(table.rows[1][1:], start=1):
        assert cell == f"{validated[str(15_000 * quarter)]:.2%} ({15_000 * quarter:,})"


def test_two_experiments_are_compared_over_the_seeds_that_both_have(known: dict[str, ExperimentRecord]) -> None:
    text = compare_experiments(known["engines-learn2learn"], known["engines-batched"])
    assert text.startswith("Compared with `engines-batched`, on the same test tasks,")
    assert text.count("| 42 and 43 |") == 2
    other = compare_experiments(known["paper-5way-5shot"], known["engines-batched"])
    assert "on the same test tasks" in other and "| 42 |" in other and "inconclusive (one seed)" in other


def test_an_experiment_that_was_not_run_is_not_compared(known: dict[str, ExperimentRecord]) -> None:
    text = compare_experiments(known["engines-batched"], known["ten-seeds"])
    assert "was not run: `python -m experiments run ten-seeds`" in text and "|" not in text


def test_the_difference_over_seeds_is_scipys_paired_t_test() -> None:
    ours, theirs = {1: 0.90, 2: 0.92, 3: 0.95}, {3: 0.91, 2: 0.90, 1: 0.89, 4: 0.2}
    shown = comparison_row("MAML", ours, theirs, 0.005)
    pairs = np.array([(ours[seed], theirs[seed]) for seed in (1, 2, 3)])
    test = stats.ttest_rel(*pairs.T)
    low, high = test.confidence_interval()
    assert shown is not None and shown[1] == "1, 2 and 3"
    assert shown[4:7] == ["+2.33", f"{formatting.points(low)} to {formatting.points(high)}", f"{test.pvalue:.2g}"]
    assert shown[7] == "inconclusive"
    assert shown[8] == f"{100 * np.mean([0.01, 0.02, 0.04]):.2f}"
    assert shown[9] == f"{100 * np.mean([0.02, 0.05, 0.03, 0.01, 0.02, 0.01]):.2f}"
    assert comparison_row("MAML", {1: 0.5}, {2: 0.5}, 0.005) is None
