"""The committed figures: each is of the committed numbers."""

import pytest
from params_file import ROOT

from experiments.declared import FINDINGS
from experiments.figures import FIGURES, digest, figure_path, has_figure, specification
from experiments.load_record import ExperimentRecord, load_records

DRAWN = [record for record in load_records(ROOT / FINDINGS).values() if has_figure(record)]


@pytest.mark.parametrize("record", DRAWN, ids=lambda record: record.name)
def test_a_committed_figure_is_of_the_committed_numbers(record: ExperimentRecord) -> None:
    assert digest(specification(record)) in (ROOT / figure_path(record)).read_text()


def test_there_is_no_figure_of_anything_else() -> None:
    assert {path.name for path in (ROOT / FIGURES).iterdir()} == {figure_path(record).name for record in DRAWN}
