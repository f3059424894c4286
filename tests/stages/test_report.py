import json
from contextlib import chdir
from pathlib import Path

import pytest
from finished_pipeline import Pipeline
from histories import rows
from shell import refusal_of, run_python

from metaglot.core.common.atomic_files import read_yaml, write_json, write_yaml
from metaglot.core.common.errors import UserError
from stages import report
from stages.support import paths

WRITTEN = {"accuracy.csv", "by_step.csv", "comparison.json", "comparison.md", "curves.csv", "draw.html", "index.html"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a finished pipeline of two seeds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    Pipeline(seeds=(42, 43), tests=40).write()
    return tmp_path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished pipeline of two seeds with its report, written once, to be read only."""
    place = tmp_path_factory.mktemp("written")
    with chdir(place):
        Pipeline(seeds=(42, 43), tests=40).write()
        report.write()
    return place


@pytest.fixture
def reported(written: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a report."""
    monkeypatch.chdir(written)
    return written


def compared() -> dict:
    return json.loads(paths.COMPARISON.read_text())


def test_the_stage_writes_its_files_and_the_same_bytes_again(folder: Path):
    report.write()
    assert {path.name for path in paths.REPORT.iterdir()} == WRITTEN
    first = {path.name: path.read_bytes() for path in paths.REPORT.iterdir()}
    report.write()
    assert {path.name: path.read_bytes() for path in paths.REPORT.iterdir()} == first


def test_the_numbers_are_those_of_the_results(reported: Path):
    for run in compared()["runs"]:
        result = json.loads(paths.result(run["algorithm"], run["seed"]).read_text())
        record = json.loads(paths.run_record(run["algorithm"], run["seed"]).read_text())
        assert run["accuracy"] == result["accuracy"]["mean"]
        assert run["accuracy_ci95_by_character"] == result["accuracy"]["ci95_by_character"]
        assert run["loss"] == result["loss"]["mean"]
        assert run["inductive_accuracy"] == result["inductive"]["accuracy"]["mean"]
        assert (run["train_seconds"], run["device"]) == (record["train_seconds"], record["device"])
    for row in rows(paths.REPORT / "accuracy.csv"):
        result = json.loads(paths.result(row["algorithm"], int(row["seed"])).read_text())
        lows, highs = zip(result["accuracy"]["ci95"], result["accuracy"]["ci95_by_character"], strict=True)
        assert [float(row["low"]), float(row["high"])] == [min(lows), max(highs)]


def test_the_curves_are_the_histories_end_to_end(reported: Path):
    curves = rows(paths.REPORT / "curves.csv")
    for algorithm in ("maml", "fomaml"):
        for seed in (42, 43):
            history = rows(paths.history(algorithm, seed))
            mine = [row for row in curves if (row["algorithm"], row["seed"]) == (algorithm, str(seed))]
            assert len(mine) == len(history) == 21
            assert {row["run"] for row in mine} == {f"{algorithm.upper()} · seed {seed}"}
            for ours, theirs in zip(mine, history, strict=True):
                assert {key: float(ours[key]) for key in theirs if theirs[key]} == {
                    key: float(value) for key, value in theirs.items() if value
                }


def test_by_step_has_a_row_for_each_run_and_step(reported: Path):
    assert len(rows(paths.REPORT / "by_step.csv")) == 4 * 11


def test_rows_come_from_the_config_and_not_from_what_lies_in_a_folder(folder: Path):
    config = read_yaml(paths.REPORT_CONFIG)
    config["rows"] = [row for row in config["rows"] if row["seed"] == 42]
    write_yaml(paths.REPORT_CONFIG, config)
    report.write()
    assert [run["run"] for run in compared()["runs"]] == ["MAML · seed 42", "FOMAML · seed 42"]


def test_what_the_bench_measured_decides_about_speed(folder: Path):
    saved = {engine: {"median": 0.4, "low": 0.3, "high": 0.5} for engine in ("batched", "learn2learn")}
    write_json(report.BENCH, {"first_order_saves": saved})
    report.write()
    assert compared()["claims"][1]["verdict"] == "supported"


def test_the_page_names_the_experiment_of_dvc(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DVC_EXP_NAME", "tawny-kite")
    report.write()
    assert "tawny-kite" in (paths.REPORT / "index.html").read_text()


def test_the_comparison_is_shown_on_a_terminal(reported: Path):
    shown = run_python(reported, "-m", "stages.report", "--show", COLUMNS="160")
    assert shown.returncode == 0, shown.stderr
    assert compared()["answer"] in " ".join(shown.stdout.split())
    assert "original study: FOMAML" in shown.stdout


def test_nothing_to_show_is_one_line(tmp_path: Path):
    line = refusal_of(run_python(tmp_path, "-m", "stages.report", "--show"))
    assert line.startswith("error: data/report/comparison.json is not there")


def test_a_comparison_of_another_version_is_not_shown_but_refused(tmp_path: Path):
    write_json(tmp_path / paths.COMPARISON, {"question": "MAML or FOMAML?"})
    line = refusal_of(run_python(tmp_path, "-m", "stages.report", "--show"))
    assert line == "error: data/report/comparison.json lacks 'dataset': run `dvc repro report`\n"


def test_a_missing_run_is_refused_by_name_and_nothing_is_written(folder: Path):
    paths.scores("fomaml", 43).unlink()
    with pytest.raises(UserError, match="fomaml-43.npz is not there"):
        report.write()
    assert not paths.REPORT.exists()


def test_results_on_other_tasks_are_refused_and_nothing_is_written(folder: Path):
    path = paths.result("fomaml", 42)
    path.write_text(path.read_text().replace(json.loads(path.read_text())["tasks_sha256"], "0" * 64))
    with pytest.raises(UserError, match="not scored on the same tasks: tasks_sha256"):
        report.write()
    assert not paths.REPORT.exists()
