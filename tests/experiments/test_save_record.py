"""Recording an experiment, and the folders that are refused."""

import json
import subprocess
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest
from params_file import ROOT
from ran_experiment import ran

from experiments.declared import FINDINGS
from experiments.save_record import save_record
from metaglot.core.common.atomic_files import read_json, read_yaml, write_yaml
from metaglot.core.common.errors import UserError
from stages import report
from stages.support import paths

THREE = "engines-batched"  # of three seeds


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder where an experiment was run, with its report; and its record."""
    place = tmp_path_factory.mktemp("recorded")
    folder = ran(place / "folder", THREE)
    with chdir(folder):
        report.write()
    return folder, save_record(THREE, folder, to=place / "findings")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder where the experiment was run."""
    return ran(tmp_path / "folder", THREE)


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def refusal(name: str, folder: Path, seeds: list[int] | None = None) -> str:
    """What is said, in one line; nothing is recorded."""
    with pytest.raises(UserError) as caught:
        save_record(name, folder, seeds, to=folder / "findings")
    assert not list(folder.rglob("comparison.json")) and "\n" not in str(caught.value)
    return str(caught.value)


def test_the_comparison_is_the_one_that_the_report_wrote(recorded: tuple[Path, Path]) -> None:
    folder, place = recorded
    assert (place / "comparison.json").read_bytes() == (folder / paths.COMPARISON).read_bytes()
    assert (place / "curves.csv").read_bytes() == (folder / paths.REPORT / "curves.csv").read_bytes()


def test_a_record_is_small_texts_and_the_files_of_every_run(recorded: tuple[Path, Path]) -> None:
    folder, place = recorded
    runs = [f"{algorithm}-{seed}.json" for algorithm in ("maml", "fomaml") for seed in (42, 43, 44)]
    each = {f"{kind}/{run}" for kind in ("runs", "results") for run in runs}
    assert files(place) == {"about.json", "comparison.json", "curves.csv", "alignment.csv", "params.yaml"} | each
    assert (place / "results/maml-43.json").read_bytes() == (folder / paths.result("maml", 43)).read_bytes()
    assert (place / "runs/maml-43.json").read_bytes() == (folder / paths.run_record("maml", 43)).read_bytes()
    assert read_json(place / "about.json")["recorded"] == read_json(place / "about.json")["asked"] == [42, 43, 44]
    assert read_yaml(place / "params.yaml")["train"]["iterations"] == 3000


def test_some_seeds_are_recorded_if_asked_and_compared_anew(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    folder, _ = recorded
    place = save_record(THREE, folder, [42, 43], to=tmp_path / "findings")
    compared = read_json(place / "comparison.json")
    assert read_json(place / "about.json") == {"recorded": [42, 43], "asked": [42, 43, 44], "code": None}
    assert [run["seed"] for run in compared["runs"]] == [42, 43, 42, 43]
    assert [seed["seed"] for seed in compared["pairs"][0]["by_seed"]] == [42, 43]
    means = [read_json(folder / paths.result("maml", seed))["accuracy"]["mean"] for seed in (42, 43)]
    assert compared["algorithms"][0]["accuracy"]["mean"] == pytest.approx(sum(means) / 2)


def test_a_new_record_takes_the_place_of_the_old_one(recorded: tuple[Path, Path], tmp_path: Path) -> None:
    folder, to = recorded[0], tmp_path / "findings"
    save_record(THREE, folder, to=to)
    place = save_record(THREE, folder, [44], to=to)
    assert len(list((place / "runs").iterdir())) == 2
    with pytest.raises(UserError):
        save_record(THREE, folder, [7], to=to)
    assert [path.name for path in to.iterdir()] == [THREE]
    assert len(list((place / "runs").iterdir())) == 2


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"train.iterations": 10_000}, "train.iterations 10000, not 3000"),
        ({"train.engine": "learn2learn"}, "train.engine learn2learn, not batched"),
        ({"task.shots": 1}, "task.shots 1, not 5"),
        ({"seeds": [42, 43]}, "seeds [42, 43], not [42, 43, 44]"),
        ({"algorithms": ["maml"]}, "algorithms ['maml'], not ['fomaml', 'maml']"),
        ({"settings.maml": {"second_order": 1.0, "iterations": 5}}, "settings.maml.iterations 5, not None"),
        ({"report.margin": 0.01}, "report.margin 0.01, not 0.005"),
    ],
)
def test_a_folder_with_other_params_is_refused_by_key(tmp_path: Path, changes: dict[str, Any], difference: str) -> None:
    folder = ran(tmp_path / "folder", THREE, changes)
    assert refusal(THREE, folder) == f"{folder} did not run {THREE}: it has {difference}"


def test_how_it_was_computed_and_what_it_did_not_run_make_no_other_experiment(tmp_path: Path) -> None:
    changes = {"run.threads": 1, "algorithms": ["fomaml", "maml"], "settings.anil": {"iterations": 5}}
    assert save_record(THREE, ran(tmp_path / "folder", THREE, changes), to=tmp_path / "findings").is_dir()


def test_what_is_missing_is_refused_with_the_seeds_that_are_whole(folder: Path, tmp_path: Path) -> None:
    (folder / paths.scores("fomaml", 43)).unlink()
    assert refusal(THREE, folder) == (f"{folder} has not finished fomaml-43: `--seeds 42,44` records the complete ones")
    assert "has not finished fomaml-43" in refusal(THREE, folder, [43])
    assert save_record(THREE, folder, [42, 44], to=tmp_path / "findings").is_dir()


def test_results_that_another_training_left_are_not_finished(folder: Path) -> None:
    trained = folder / paths.run_record("maml", 44)
    trained.write_text(json.dumps(read_json(trained) | {"train_seconds": 1.0}))
    assert "has not finished maml-44" in refusal(THREE, folder)


def test_a_folder_where_no_seed_is_whole_is_refused(folder: Path) -> None:
    for seed in (42, 43, 44):
        (folder / paths.result("maml", seed)).unlink()
    assert refusal(THREE, folder).endswith("has not finished maml-42, maml-43, maml-44: no seed is complete yet")


def test_a_seed_that_it_is_not_about_or_that_the_folder_did_not_run_is_refused(tmp_path: Path) -> None:
    folder = ran(tmp_path / "folder", THREE, {"seeds": [42, 43]})
    assert refusal(THREE, folder, [42, 7]) == f"{THREE} is not about seed 7: its seeds are [42, 43, 44]"
    assert refusal(THREE, folder, [43, 44]) == f"{folder} has no seed 44: it was run with seeds [42, 43]"


def test_a_folder_where_nothing_was_run_is_refused(tmp_path: Path) -> None:
    assert "dvc.lock is not there" in refusal(THREE, tmp_path)
    (tmp_path / "dvc.lock").write_text("- no\n- lock\n")
    assert "is not a lock file of DVC" in refusal(THREE, tmp_path)
    write_yaml(tmp_path / "dvc.lock", {"stages": {}})
    assert "was never configured" in refusal(THREE, tmp_path)


@pytest.mark.parametrize("about", sorted((ROOT / FINDINGS).rglob("about.json")), ids=lambda path: path.parent.name)
def test_the_commit_that_a_committed_record_names_is_one_of_this_project(about: Path) -> None:
    code = read_json(about)["code"]
    if git("rev-parse", "--is-shallow-repository").stdout != "false\n":
        pytest.skip("without its history, or outside of git")
    assert git("cat-file", "-e", f"{code or 'HEAD'}^{{commit}}").returncode == 0


def git(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)


def test_params_that_changed_since_the_run_are_refused(folder: Path) -> None:
    with (folder / "params.yaml").open("a") as params:
        params.write("# changed\n")
    assert refusal(THREE, folder) == f"{folder}/params.yaml has changed since it was run: run `dvc repro` there"


def test_a_run_whose_code_changed_is_not_finished(folder: Path, tmp_path: Path) -> None:
    (folder / "code/sub").mkdir(parents=True)
    (folder / "code/train.py").write_text("1\n")
    (folder / "code/sub/a.py").write_text("2\n")
    (folder / "code/sub.py").write_text("3\n")  # DVC sorts sub-b.py, sub.py, sub/a.py
    (folder / "code/sub-b.py").write_text("4\n")
    lock = read_yaml(folder / "dvc.lock")
    lock["stages"]["train@maml-42"]["deps"] = [{"path": "code", "md5": "a1c4871d33c562111d532973b928134e.dir"}]  # DVC's
    write_yaml(folder / "dvc.lock", lock)
    assert save_record(THREE, folder, to=tmp_path / "findings").is_dir()
    (folder / "code/sub/a.py").write_text("3\n")
    assert "has not finished maml-42" in refusal(THREE, folder)
