"""An experiment that varies one key: its parts, their table, and the figure."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from params_file import ROOT
from ran_experiment import ran
from scipy import stats

from experiments.conclusions import open_questions
from experiments.declared import FINDINGS, find_settings, parts_of
from experiments.figures import digest, figure, specification
from experiments.load_record import ExperimentRecord, load_records, recorded_parts
from experiments.readme import answer_block
from experiments.save_record import save_record
from experiments.tables import experiment_block
from experiments.varied_record import VariedRecord
from experiments.varied_tables import varied_table
from metaglot.core.common.atomic_files import read_json, read_yaml, write_json, write_yaml
from metaglot.core.common.errors import UserError
from metaglot.report.load_runs import NEWER

DIAL = "second-order-dial"
SKILLS = {"0": 0.90, "0.05": 0.95, "1": 0.96, "hf_maml": 0.961}  # of the parts that ran
SEEDS = {"0": [42, 43, 44], "0.05": [42, 43], "1": [42, 43, 44], "hf_maml": [43, 44, 45]}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> ExperimentRecord:
    place = tmp_path_factory.mktemp("dial")
    for part, skill in SKILLS.items():
        algorithm = part if part == "hf_maml" else "maml"
        folder = ran(place / part, f"{DIAL}/{part}", {"seeds": SEEDS[part]}, skills={algorithm: skill}, cosine=skill)
        save_record(f"{DIAL}/{part}", folder, SEEDS[part], to=place / "docs")
    return load_records(place / "docs")[DIAL]


def test_a_part_is_the_experiment_with_one_value() -> None:
    assert parts_of(DIAL)[:2] == [f"{DIAL}/0", f"{DIAL}/0.05"] and parts_of(DIAL)[-1] == f"{DIAL}/imaml"
    settings = find_settings(DIAL)
    assert find_settings(f"{DIAL}/0.05") == settings | {"settings.maml.second_order": 0.05}
    assert find_settings(f"{DIAL}/imaml") == settings | {"algorithms": ["imaml"]}
    assert parts_of("ten-seeds") == ["ten-seeds"] and parts_of(f"{DIAL}/1") == [f"{DIAL}/1"]
    with pytest.raises(UserError, match="second-order-dial/2 is not a part of second-order-dial: it has 0, 0.05"):
        parts_of(f"{DIAL}/2")


def test_only_the_recorded_parts_are_rows(record: ExperimentRecord) -> None:
    assert list(recorded_parts(record)) == list(SKILLS)
    assert [row.value for row in VariedRecord(record).rows] == [0, 0.05, 1, None]


def test_differences_are_paired_by_seed_and_corrected_as_one_family(record: ExperimentRecord) -> None:
    varied = VariedRecord(record)
    reference, compared = varied.reference, varied.differences
    assert reference is not None and reference.part == "1"
    assert list(compared) == ["0", "0.05", "hf_maml"]
    assert [d.seeds for d in compared.values()] == [[42, 43, 44], [42, 43], [43, 44]]
    ours, theirs = ([row.accuracies[seed] for seed in (42, 43, 44)] for row in (varied.rows[0], reference))
    test = stats.ttest_rel(ours, theirs)
    assert compared["0"].test.p == pytest.approx(test.pvalue)
    assert compared["0"].test.ci95 == pytest.approx(tuple(test.confidence_interval()))
    assert compared["0"].p == pytest.approx(9 * test.pvalue) and compared["0"].verdict == "worse"  # nine are declared


def test_the_share_of_the_gain_is_over_the_seeds_of_all_three(record: ExperimentRecord) -> None:
    varied = VariedRecord(record)
    zero, small, one, _ = varied.rows
    means = [np.mean([row.accuracies[seed] for seed in (42, 43)]) for row in (zero, small, one)]
    assert varied.gain(small) == pytest.approx((means[1] - means[0]) / (means[2] - means[0]))
    assert (varied.gain(zero), varied.gain(one)) == (0, 1)


def test_the_table_shows_every_row_and_what_is_missing_is_said(record: ExperimentRecord) -> None:
    varied = VariedRecord(record)
    table = varied_table(varied)
    assert [row[0] for row in table.rows] == ["c = 0", "c = 0.05", "c = 1", "HF-MAML"]
    cells = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    for shown, row in zip(cells, varied.rows, strict=True):
        assert shown["test accuracy"].startswith(f"{row.row['accuracy']['mean']:.2%} [")
    assert cells[2]["cosine"] == "exact" and abs(float(cells[1]["cosine"]) - 0.95) < 0.01
    text = experiment_block(record, {})
    assert "**So far 11 of 100 runs.**" in text and "Less accurate than c = 1: c = 0" in text
    assert f"`{DIAL}`: so far 11 of 100 runs" in open_questions({DIAL: record})


def test_readme_has_the_answer_the_shares_of_the_gain_and_the_figure(record: ExperimentRecord) -> None:
    varied = VariedRecord(record)
    text, figure = answer_block(record).split("\n\n")
    small, hf = varied.rows[1], varied.rows[3]
    shares = f"{varied.gain(small):.0%} with c = 0.05 and {varied.gain(hf):.0%} with HF-MAML"
    said = f"Share of the gain from c = 0 to c = 1: {shares}."
    assert said in " ".join(text.split()) and " ".join(text.split()).endswith("So far 11 of 100 runs.")
    assert figure.endswith("](docs/figures/second-order-dial.svg)")


def test_a_part_that_an_older_evaluation_scored_is_recorded(tmp_path: Path) -> None:
    folder = ran(tmp_path / "ran", f"{DIAL}/0", {"seeds": [42]})
    scores, result = folder / "data/scores/maml-42.npz", folder / "data/results/maml-42.json"
    arrays = dict(np.load(scores))
    np.savez(scores, **{name: array for name, array in arrays.items() if name not in NEWER})
    scored = {key: value for key, value in read_json(result).items() if key not in NEWER}
    scored["inductive"] = {key: value for key, value in scored["inductive"].items() if key not in NEWER}
    write_json(result, scored)
    lock = read_yaml(folder / "dvc.lock")
    for out in lock["stages"]["evaluate@maml-42"]["outs"]:
        out["md5"] = hashlib.md5((folder / out["path"]).read_bytes()).hexdigest()
    write_yaml(folder / "dvc.lock", lock)
    save_record(f"{DIAL}/0", folder, [42], to=tmp_path / "docs")
    assert "| c = 0 | 42 |" in experiment_block(load_records(tmp_path / "docs")[DIAL], {})


def test_without_the_reference_nothing_is_compared(record: ExperimentRecord, tmp_path: Path) -> None:
    save_record(f"{DIAL}/0", ran(tmp_path / "ran", f"{DIAL}/0"), to=tmp_path / "docs")
    other = load_records(tmp_path / "docs")[DIAL]
    assert "The reference has not been recorded yet." in experiment_block(other, {})
    assert "point" in figure(other)


def test_with_the_reference_alone_there_is_no_share_of_a_gain(tmp_path: Path) -> None:
    save_record(f"{DIAL}/1", ran(tmp_path / "ran", f"{DIAL}/1"), to=tmp_path / "docs")
    assert "Share of the gain" not in answer_block(load_records(tmp_path / "docs")[DIAL])


def curves_of(chart: dict[str, Any]) -> list[list[float]]:
    """The values of the last layer of each panel."""
    names = [panel.get("data", panel["layer"][-1].get("data"))["name"] for panel in chart["hconcat"]]
    return [[row["y"] for row in chart["datasets"][name]] for name in names]


def test_the_figure_shows_the_numbers_of_the_record(record: ExperimentRecord) -> None:
    accuracies, cosines = curves_of(specification(record))
    assert accuracies == [row.row["accuracy"]["mean"] for row in VariedRecord(record).rows[:3]]
    assert cosines[2] == 1
    drawn = figure(record)
    assert drawn.startswith("<svg") and drawn.endswith(f"<!-- specification: {digest(specification(record))} -->\n")
    for text in ("test accuracy, 95% intervals", "cosine with the exact meta-gradient", "HF-MAML"):
        assert text in drawn


VARIED = [name for name, found in load_records(ROOT / FINDINGS).items() if found.has_results and found.experiment.vary]


@pytest.mark.parametrize("name", VARIED)
def test_the_committed_parts_were_scored_on_the_same_tasks(name: str) -> None:
    parts = recorded_parts(load_records(ROOT / FINDINGS)[name]).values()
    assert len({read_json(part.folder / "comparison.json")["evaluate"]["tasks_sha256"] for part in parts}) == 1
