"""README's table: the committed comparison, and nothing written by hand."""

import json
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from finished_pipeline import finished

from experiments.readme import fill_readme, results_block
from metaglot.core.common.atomic_files import read_json, write_json
from metaglot.core.common.errors import UserError
from metaglot.report.comparison import compare_runs
from stages.support import paths


def block(folder: Path, **options: Any) -> tuple[str, dict[str, Any]]:
    """The block, and the comparison that it is made from."""
    compared = compare_runs(*finished(folder, **options), None)
    return results_block(compared), compared


def test_readme_is_made_from_the_committed_comparison(committed: Path) -> None:
    with chdir(committed):
        assert fill_readme() == Path("README.md").read_text()


def test_a_number_that_changes_changes_readme(committed: Path, tmp_path: Path) -> None:
    compared = read_json(committed / paths.COMPARISON)
    mean = compared["algorithms"][0]["accuracy"]["mean"]
    changed = json.loads(json.dumps(compared).replace(json.dumps(mean), json.dumps(mean - 0.01)))
    write_json(tmp_path / "comparison.json", changed)
    text = fill_readme(committed / "README.md", tmp_path / "comparison.json")
    assert text != (committed / "README.md").read_text() and f"| {mean - 0.01:.2%} [" in text


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


@pytest.mark.parametrize("text", ["no block", "<!-- results -->\nnever ended", "<!-- /results -->"])
def test_a_readme_without_the_block_is_refused(committed: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "README.md").write_text(text)
    with pytest.raises(UserError, match="needs exactly one block from `<!-- results -->`"):
        fill_readme(tmp_path / "README.md", committed / paths.COMPARISON)
