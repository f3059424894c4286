"""Shares of variance: the mean squares are statsmodels', and the components are those that were simulated."""

from pathlib import Path

import numpy as np
import pytest
from ran_experiment import declare, ran
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from experiments.command_text import code_text
from experiments.conclusions import open_questions
from experiments.load_record import load_records
from experiments.save_record import save_record
from experiments.tables import experiment_block
from experiments.variance_shares import Components, MeanSquares, estimate_components, mean_squares, solve_expectations
from experiments.variance_tables import accuracies, variance_table

DECLARED = {
    "crossed": {
        "title": "Variance",
        "question": "What varies?",
        "settings": {"algorithms": ["maml", "fomaml"], "seeds": [1, 2]},
        "crossed": {"splits": [7, 8], "tasks": [5, 6]},
    }
}


def test_the_mean_squares_are_those_of_statsmodels() -> None:
    import pandas as pd

    values = np.random.default_rng(0).normal(size=(3, 4, 2))
    rows = [(i, j, k, values[i, j, k]) for i, j, k in np.ndindex(*values.shape)]
    frame = pd.DataFrame(rows, columns=["split", "seed", "tasks", "y"])
    table = anova_lm(ols("y ~ C(split) + C(seed) + C(split):C(seed) + C(split):C(tasks)", frame).fit(), typ=1)
    expected = table["mean_sq"].to_dict()
    found = mean_squares(values)
    names = {"split": "C(split)", "seed": "C(seed)", "both": "C(split):C(seed)", "tasks": "C(split):C(tasks)"}
    for name, theirs in (names | {"residual": "Residual"}).items():
        assert getattr(found, name) == pytest.approx(expected[theirs])


def test_the_components_are_found_on_average() -> None:
    random, found = np.random.default_rng(0), []
    for _ in range(400):
        split, seed = random.normal(0, 3, (8, 1, 1)), random.normal(0, 2, (1, 8, 1))
        both, tasks = random.normal(0, 1, (8, 8, 1)), random.normal(0, 1.5, (8, 1, 8))
        components = estimate_components(split + seed + both + tasks + random.normal(0, 0.5, (8, 8, 8)))
        found.append((components.split, components.seed, components.tasks))
    assert np.mean(found, axis=0) == pytest.approx((9, 4 + 1, 2.25 + 0.25), rel=0.1)


def test_the_components_are_those_whose_expected_mean_squares_were_found() -> None:
    a, b, c = 3, 4, 2
    split, seed, both, tasks, residual = 9.0, 4.0, 1.0, 2.0, 0.5
    within = residual + c * both
    squares = MeanSquares(
        within + b * tasks + b * c * split, within + a * c * seed, within, residual + b * tasks, residual
    )
    found = solve_expectations(squares, a, b, c)
    assert (found.split, found.seed, found.tasks) == pytest.approx((split, seed + both, tasks + residual))


def test_shares_add_up_and_nothing_has_no_shares() -> None:
    assert Components(1, 2, 1).shares == {"split": 0.25, "seed": 0.5, "tasks": 0.25}
    assert set(estimate_components(np.ones((2, 2, 2))).shares.values()) == {0}


def test_the_block_waits_for_all_parts_and_then_shows_shares(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(DECLARED, tmp_path, monkeypatch)
    for number, part in enumerate(("7-5", "7-6", "8-5", "8-6"), start=1):
        folder = ran(tmp_path / part, f"crossed/{part}", seeds=(1, 2))
        for seeds, recorded in (([1], 2 * number - 1), ([1, 2], 2 * number)):
            save_record(f"crossed/{part}", folder, seeds, to=tmp_path / "docs")
            record = load_records(tmp_path / "docs")["crossed"]
            so_far = f"o far {recorded} of 8 combinations of split, seed and test tasks"
            assert (so_far in experiment_block(record, {})) == (recorded < 8)
            assert (so_far in open_questions({"crossed": record})) == (recorded < 8)
            assert f"`docs/findings/crossed/`; {code_text(record.codes)}; " in experiment_block(record, {})
    arrays = accuracies(record)
    runs = load_records(tmp_path / "docs")["crossed"].folder / "8-5/results/maml-2.json"
    assert arrays["MAML"].shape == (2, 2, 2) and f'"mean": {arrays["MAML"][1, 1, 0]}' in runs.read_text()
    table = variance_table(record)
    assert [row[0] for row in table.rows] == ["MAML", "FOMAML", "MAML − FOMAML"]
    assert "; 4 trainings of " in experiment_block(record, {})  # each was scored in two parts
    for row in table.rows:
        assert sum(int(cell[:-1]) for cell in row[2:]) in (99, 100, 101)
