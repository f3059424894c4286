import json
from pathlib import Path

import pytest
from params_file import ROOT
from repository import needs_omniglot
from shell import run_python

from benchmarks import matmul_bound, results_file
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError

pytestmark = pytest.mark.slow


@needs_omniglot
def test_a_quick_run_of_one_part_is_printed_and_saved(tmp_path: Path) -> None:
    ended = run_python(ROOT, "-m", "benchmarks", "--quick", "--only", "bound", "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert "Share of the matrix-product bound" in ended.stdout
    results = read_json(tmp_path / "results.json")
    assert results["bound"]["quick"] and results["threads"] and results["machine"] and results["versions"]
    for row in results["bound"]["rows"]:
        assert row["share"]["median"] > 0
        flop = sum(2 * p["m"] * p["k"] * p["n"] * p["count"] for p in row["products"])
        assert row["gflop"] * 1e9 == pytest.approx(flop)
    assert (tmp_path / "results.md").read_text() == results_file.markdown(
        results, matmul_bound.tables(results["bound"])
    )


def test_a_part_that_is_measured_again_keeps_the_other_parts(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results_file.describe_machine() | {"growth": {"rows": []}}))
    assert results_file.load_or_create(tmp_path, merge=True)["growth"] == {"rows": []}
    assert "growth" not in results_file.load_or_create(tmp_path, merge=False)


def test_results_of_another_machine_are_not_merged(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results_file.describe_machine() | {"threads": 77}))
    with pytest.raises(UserError, match="was measured with threads 77, not"):
        results_file.load_or_create(tmp_path, merge=True)


def test_an_unknown_part_is_refused_by_name() -> None:
    ended = run_python(ROOT, "-m", "benchmarks", "--only", "everything")
    assert ended.returncode == 2
    assert "everything" in ended.stderr and "Traceback" not in ended.stderr
