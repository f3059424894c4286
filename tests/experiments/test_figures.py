"""The committed figures: each is of the committed numbers."""

from pathlib import Path

import pytest
from params_file import ROOT

from experiments.declared import FINDINGS
from experiments.figures import FIGURES, digest, figure_path, has_figure, specification, write_figure
from experiments.load_record import ExperimentRecord, load_records

DRAWN = [record for record in load_records(ROOT / FINDINGS).values() if has_figure(record)]


@pytest.mark.parametrize("record", DRAWN, ids=lambda record: record.name)
def test_a_committed_figure_is_of_the_committed_numbers(record: ExperimentRecord) -> None:
    assert digest(specification(record)) in (ROOT / figure_path(record)).read_text()


@pytest.mark.parametrize(("name", "kind"), [("all-algorithms-1shot", "log"), ("within-alphabet", None)])
def test_accuracies_have_a_logarithmic_axis_only_if_they_are_far_apart(name: str, kind: str | None) -> None:
    accuracies, _ = specification(load_records(ROOT / FINDINGS)[name])["hconcat"]
    assert accuracies["layer"][0]["encoding"]["x"]["scale"].get("type") == kind


def test_there_is_no_figure_of_anything_else() -> None:
    assert {path.name for path in (ROOT / FIGURES).iterdir()} == {figure_path(record).name for record in DRAWN}


def test_a_figure_is_drawn_anew_only_if_its_numbers_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first, other, path = DRAWN[0], DRAWN[1], tmp_path / figure_path(DRAWN[0])
    write_figure(first)
    path.write_text(f"kept {path.read_text()}")
    write_figure(first)
    assert path.read_text().startswith("kept")
    path.write_text(digest(specification(other)))
    write_figure(first)
    assert path.read_text().startswith("<svg")
