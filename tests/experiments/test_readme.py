"""README's table: the committed comparison, and nothing written by hand."""

import json
from pathlib import Path
from typing import Any

from finished_pipeline import finished

from experiments.readme import results_block
from metaglot.core.common.atomic_files import read_json
from metaglot.report.comparison import compare_runs
from stages.support import paths


def block(folder: Path, **options: Any) -> tuple[str, dict[str, Any]]:
    """The block, and the comparison that it is made from."""
    compared = compare_runs(*finished(folder, **options), None)
    return results_block(compared), compared


def test_a_number_that_changes_changes_the_block(committed: Path) -> None:
    compared = read_json(committed / paths.COMPARISON)
    mean = compared["algorithms"][0]["accuracy"]["mean"]
    changed = json.loads(json.dumps(compared).replace(json.dumps(mean), json.dumps(mean - 0.01)))
    assert f"| {mean:.2%} [" in results_block(compared) and f"| {mean - 0.01:.2%} [" in results_block(changed)


def test_the_block_shows_the_numbers_and_what_they_are_of(tmp_path: Path) -> None:
    text, compared = block(tmp_path, seeds=(42, 43, 44), tests=60)
    assert text.startswith("| 3 seeds | accuracy on 60 test tasks |") and "intervals over seeds" in text
    for row in compared["algorithms"]:
        low, high = (100 * bound for bound in row["accuracy"]["ci95"])
        assert f"| {row['label']} | {row['accuracy']['mean']:.2%} [{low:.2f}, {high:.2f}] | " in text
    assert "| 95.87% | 0.12392 | 24,876 s |" in text and "| 96.99% | 0.10566 | 23,617 s |" in text
    assert compared["answer"] in " ".join(text.split())
    assert max(map(len, text.split("\n\n")[1].splitlines())) <= 120


def test_another_setting_is_not_compared_with_the_original_study(tmp_path: Path) -> None:
    text, _ = block(tmp_path / "other", task={"shots": 1}, tests=40)
    assert "original study" not in text and "| seed 42 |" in text and "intervals clustered by character" in text
    some, _ = block(tmp_path / "some", skills={"maml": 0.97, "anil": 0.9}, tests=40)
    assert sum(line.endswith("|  |  |  |") for line in some.splitlines()) == 1
