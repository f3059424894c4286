import json
from itertools import product
from pathlib import Path

import pytest
from params_file import ROOT
from repository import needs_omniglot
from shell import run_python

from benchmarks import __main__ as command
from benchmarks import meta_gradient, results_file
from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError

pytestmark = pytest.mark.slow


@needs_omniglot
def test_a_quick_run_of_one_part_is_printed_and_saved(tmp_path: Path) -> None:
    ended = run_python(ROOT, "-m", "benchmarks", "--quick", "--only", "meta_gradient", "--out", str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    assert "One meta-gradient" in ended.stdout
    results = read_json(tmp_path / "results.json")
    part = results["meta_gradient"]
    assert part["quick"] and results["threads"] and results["machine"] and results["versions"]
    assert [(row["model"], row["algorithm"]) for row in part["rows"]] == [*product(("fc", "conv"), ("FOMAML", "MAML"))]
    assert all(row["share_of_bound"]["median"] > 0 for row in part["rows"])
    assert (tmp_path / "results.md").read_text() == results_file.markdown(results, meta_gradient.tables(part))


def test_a_part_that_is_measured_again_keeps_the_other_parts(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results_file.describe_machine() | {"growth": {"rows": []}}))
    assert results_file.load_or_create(tmp_path, merge=True)["growth"] == {"rows": []}
    assert "growth" not in results_file.load_or_create(tmp_path, merge=False)


def test_an_interrupted_run_leaves_the_results_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(name: str, _: object) -> results_file.Results:
        if name == "algorithms":
            raise KeyboardInterrupt
        return {}

    monkeypatch.setattr(command, "measure_part", measured)
    (tmp_path / "results.json").write_text("{}")
    with pytest.raises(KeyboardInterrupt):
        command.main(out=tmp_path)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("results.json", "{}")]


def test_results_of_another_machine_are_not_merged(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json.dumps(results_file.describe_machine() | {"threads": 77}))
    with pytest.raises(UserError, match="was measured with threads 77, not"):
        results_file.load_or_create(tmp_path, merge=True)


def test_an_unknown_part_is_refused_by_name() -> None:
    ended = run_python(ROOT, "-m", "benchmarks", "--only", "everything")
    assert ended.returncode == 2
    assert "everything" in ended.stderr and "Traceback" not in ended.stderr
