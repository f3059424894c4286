"""Tuning: candidates with the same number for all, scores of validation alone, and the settings that follow."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from params_file import ROOT
from ran_experiment import ran

from experiments import declared
from experiments.candidates import choose, chosen_settings, load_candidates, read_score, save_candidates
from experiments.conclusions import open_questions
from experiments.declared import FINDINGS, find_settings, load_experiments
from experiments.experiment import Grid
from experiments.load_record import load_records
from experiments.save_record import save_record
from experiments.tables import experiment_block
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError

GRID = {"maml": {"meta_lr": [0.001, 0.003]}, "fomaml": {"fast_lr": [0.2, 0.5]}}
DECLARED: dict[str, dict[str, Any]] = {
    "tuning": {
        "title": "Tuning",
        "question": "Which rates?",
        "settings": {"seeds": [7], "train.iterations": 100},
        "grid": GRID,
    },
    "tuned": {
        "title": "Tuned",
        "question": "Which is best?",
        "settings": {"algorithms": ["maml", "scratch"]},
        "tuned_by": "tuning",
    },
}


@pytest.fixture
def findings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing was recorded yet of the two declared experiments."""
    monkeypatch.setattr(declared, "TABLE", tmp_path / "experiments.yaml")
    declare(tmp_path / "docs", GRID)
    return tmp_path / "docs"


def declare(findings: Path, grid: Grid, wider: Grid | None = None) -> None:
    changed = DECLARED | {"tuning": DECLARED["tuning"] | {"grid": grid, "wider_grid": wider or {}}}
    (findings.parent / "experiments.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
    declared.read_table.cache_clear()


def train(findings: Path, number: int, missing: str = "", **skills: float) -> None:
    """Record candidates of a number; one of them is not finished."""
    folder = ran(findings.parent / f"ran-{number}{missing}", f"tuning/{number}", skills=skills)
    (folder / f"data/models/{missing}-7/run.json").unlink(missing_ok=True)
    save_candidates(f"tuning/{number}", folder, findings)


def test_the_candidates_of_one_number_run_together(findings: Path) -> None:
    settings = find_settings("tuning/1")
    assert settings["algorithms"] == ["maml", "fomaml"]
    assert (settings["settings.maml.meta_lr"], settings["settings.fomaml.fast_lr"]) == (0.003, 0.5)


def test_another_number_of_candidates_for_one_algorithm_is_refused(tmp_path: Path) -> None:
    grid = GRID | {"anil": {"fast_lr": [0.1, 0.2, 0.5]}}
    (tmp_path / "experiments.yaml").write_text(yaml.safe_dump({"tuning": DECLARED["tuning"] | {"grid": grid}}))
    with pytest.raises(UserError, match="every algorithm of a grid has the same number of candidates"):
        load_experiments(tmp_path / "experiments.yaml")


def test_a_wider_grid_is_tried_after_the_grid_where_they_differ(findings: Path) -> None:
    for number in (0, 1):
        train(findings, number, maml=0.9, fomaml=0.8)
    assert choose("tuning", load_candidates("tuning", findings))["maml"] == {"meta_lr": 0.001}  # the first of equals
    wider = {"maml": {"meta_lr": [0.0003, 0.001, 0.003]}, "fomaml": {"fast_lr": [0.2, 0.5, 2.0]}}
    declare(findings, GRID, wider)
    assert find_settings("tuning/1")["settings.maml.meta_lr"] == 0.003
    settings = find_settings("tuning/2")
    assert (settings["settings.maml.meta_lr"], settings["settings.fomaml.fast_lr"]) == (0.0003, 2.0)
    assert "**So far 4 of 6 candidates.**" in experiment_block(load_records(findings)["tuning"], {})
    train(findings, 2, maml=0.95, fomaml=0.7)
    assert choose("tuning", load_candidates("tuning", findings))["maml"] == {"meta_lr": 0.0003}
    assert "of a wider one that was tried afterwards" in experiment_block(load_records(findings)["tuning"], {})


def test_a_wider_grid_of_other_algorithms_is_refused(findings: Path) -> None:
    declare(findings, GRID, {"maml": {"meta_lr": [0.0003, 0.001, 0.003]}})
    with pytest.raises(UserError, match="wider_grid takes the same algorithms as grid"):
        load_experiments(findings.parent / "experiments.yaml")


def test_the_best_validation_accuracy_is_chosen_once_all_candidates_are_scored(findings: Path) -> None:
    train(findings, 0, maml=0.9, fomaml=0.8)
    assert choose("tuning", load_candidates("tuning", findings)) == {}
    with pytest.raises(UserError, match=r"tuning has not chosen settings of maml for tuned: run `.* tune tuning`"):
        chosen_settings("tuned", findings)
    train(findings, 1, maml=0.95, fomaml=0.7)
    assert choose("tuning", load_candidates("tuning", findings)) == {
        "maml": {"meta_lr": 0.003},
        "fomaml": {"fast_lr": 0.2},
    }
    assert chosen_settings("tuned", findings) == {"settings.maml.meta_lr": 0.003}
    assert read_json(findings / "tuning/candidates.json")["chosen"]["fomaml"] == {"fast_lr": 0.2}


def test_the_score_is_the_last_of_the_validation_and_no_result_is_read(findings: Path) -> None:
    folder = ran(findings.parent / "ran", "tuning/0", skills={"maml": 0.9, "fomaml": 0.8})
    for path in [*folder.glob("data/results/*"), *folder.glob("data/scores/*")]:
        path.unlink()
    save_candidates("tuning/0", folder, findings)
    scored = load_candidates("tuning", findings)
    for candidate in scored:
        history = (folder / f"data/models/{candidate['algorithm']}-7/history.csv").read_text().splitlines()
        assert f",{candidate['validation_accuracy']:.4f}," in history[-1]
    assert [candidate["iteration"] for candidate in scored] == [100, 100]
    with (folder / "data/models/maml-7/history.csv").open("a") as history:
        history.write("110,9.0,,,0.5,0.1,\n")
    assert read_score(folder, "maml", 7).items() >= {"validation_accuracy": 0.1, "iteration": 110}.items()


def test_the_settings_that_follow_are_those_chosen(findings: Path, tmp_path: Path) -> None:
    for number, skill in enumerate((0.95, 0.9)):
        train(findings, number, maml=skill, fomaml=0.8)
    with pytest.raises(UserError, match=r"it has settings.maml.meta_lr None, not 0.001"):
        save_record("tuned", ran(tmp_path / "default", "tuned"), to=findings)
    folder = ran(tmp_path / "chosen", "tuned", {"settings.maml.meta_lr": 0.001})
    assert save_record("tuned", folder, to=findings).is_dir()
    text = experiment_block(load_records(findings)["tuned"], {})
    assert "and the settings that `tuning` chose" in text


def test_the_block_shows_what_was_chosen_and_what_is_missing(findings: Path) -> None:
    train(findings, 0, "fomaml", maml=0.9, fomaml=0.8)
    record = load_records(findings)["tuning"]
    assert "**So far 1 of 4 candidates.**" in experiment_block(record, {})
    assert "`tuning`: so far 1 of 4 candidates; all of them: " in open_questions({"tuning": record})
    train(findings, 0, maml=0.9, fomaml=0.8)
    train(findings, 1, maml=0.95, fomaml=0.7)
    text = experiment_block(record, {})
    assert "So far" not in text and "| MAML | 2 | meta_lr 0.003 |" in text and "tune tuning" in text


def test_nothing_is_recorded_while_no_candidate_is_trained(findings: Path) -> None:
    folder = ran(findings.parent / "ran", "tuning/0")
    for run in ("maml-7", "fomaml-7"):
        (folder / f"data/models/{run}/run.json").unlink()
    assert save_candidates("tuning/0", folder, findings) == "tuning/0: no candidate is trained yet"
    assert not findings.exists()


def test_a_score_of_other_settings_than_the_grid_has_now_counts_no_more(
    findings: Path,
) -> None:
    for number in (0, 1):
        train(findings, number, maml=0.9, fomaml=0.8)
    changed = {"maml": {"meta_lr": [0.001, 0.01]}, "anil": {"fast_lr": [0.2, 0.5]}}
    declare(findings, changed)
    assert [(each["algorithm"], each["candidate"]) for each in load_candidates("tuning", findings)] == [("maml", 0)]
    with pytest.raises(UserError, match="tuning has not chosen settings of maml for tuned"):
        chosen_settings("tuned", findings)
    assert "**So far 1 of 4 candidates.**" in experiment_block(load_records(findings)["tuning"], {})
    train(findings, 1, "again", maml=0.95, anil=0.8)
    recorded = read_json(findings / "tuning/candidates.json")
    assert [each["settings"] for each in recorded["candidates"]] == [
        {"meta_lr": 0.001},
        {"meta_lr": 0.01},
        {"fast_lr": 0.5},
    ]
    assert recorded["chosen"] == {"maml": {"meta_lr": 0.01}}
    declare(findings, {"boil": {"fast_lr": [0.2, 0.5]}})
    assert experiment_block(load_records(findings)["tuning"], {}).endswith("**So far 0 of 2 candidates.**")


@pytest.mark.parametrize(
    "name", [n for n, r in load_records(ROOT / FINDINGS).items() if r.has_results and r.experiment.grid]
)
def test_a_committed_choice_is_that_of_the_rule(name: str) -> None:
    committed, current = read_json(ROOT / FINDINGS / name / "candidates.json"), load_candidates(name, ROOT / FINDINGS)
    assert committed["candidates"] == current and committed["chosen"] == choose(name, current)
