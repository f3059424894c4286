"""The conclusion on speed is decided by `make bench`, whenever that was run."""

from contextlib import chdir
from pathlib import Path

import pytest
from ran_experiment import ran

from experiments.load_record import ExperimentRecord, load_records
from experiments.save_record import save_record
from experiments.speed import CLAIM, with_benchmark
from metaglot.core.common.atomic_files import read_json, write_json
from stages import report
from stages.support import paths

SAVES = {engine: {"median": 0.4, "low": 0.3, "high": 0.5} for engine in ("batched", "learn2learn")}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExperimentRecord]:
    """A folder where an experiment was run, and its record, made where nothing was benchmarked."""
    place = tmp_path_factory.mktemp("recorded")
    folder = ran(place / "folder", "engines-batched")
    save_record("engines-batched", folder, to=place / "docs")
    return folder, load_records(place / "docs")["engines-batched"]


def claim(id: str, comparison: dict) -> dict:
    return next(claim for claim in comparison["claims"] if claim["id"] == id)


def test_a_later_measurement_decides_as_the_report_would(recorded: tuple[Path, ExperimentRecord]) -> None:
    folder, record = recorded
    old = claim(CLAIM, record.comparison)
    with chdir(folder):
        write_json(report.BENCH, {"machine": "Some CPU", "first_order_saves": SAVES})
        report.write()
        assert with_benchmark(old, record) == claim(CLAIM, read_json(paths.COMPARISON))
        assert with_benchmark(old, record)["verdict"] == "supported"


def test_without_a_measurement_and_for_other_conclusions_the_record_is_used(
    recorded: tuple[Path, ExperimentRecord],
) -> None:
    folder, record = recorded
    speed, other = (claim(id, record.comparison) for id in (CLAIM, "maml-overtakes"))
    write_json(folder / "bench.json", {"first_order_saves": SAVES})
    assert with_benchmark(speed, record, folder / "nothing.json") == speed
    assert with_benchmark(other, record, folder / "bench.json") == other
