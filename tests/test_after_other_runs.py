"""The tests pass in a folder where other experiments were run: what is committed is tested as committed."""

import json
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import pytest
from finished_pipeline import Pipeline
from params_file import ROOT, changed, text

from stages import report

pytestmark = pytest.mark.slow

OTHER = {
    "seeds": [43, 44],
    "algorithms": ["anil"],
    "task.shots": 1,
    "settings.anil": {"iterations": 5},
    "model": "conv",
}
READ_WHAT_IS_COMMITTED = [
    "tests/test_structure.py",
    "tests/test_house_rules.py",
    "tests/test_clone.py",
    "tests/experiments/test_command.py",
    "tests/experiments/test_declared.py",
    "tests/experiments/test_figures.py",
    "tests/experiments/test_pages.py",
    "tests/experiments/test_readme.py",
    "tests/experiments/test_save_record.py",
    "tests/experiments/test_tuning.py",
    "tests/experiments/test_varied.py",
    "tests/benchmarks/test_command.py",
    "tests/metaglot/config",
    "tests/metaglot/core/common/test_stage_configs.py",
    "tests/metaglot/core/learners/test_create_learner.py",
    "tests/metaglot/datasets/test_registry.py",
    "tests/stages/test_configure.py",
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone where the params were changed, and whose results, report, dvc.lock and measurements are of other runs."""
    folder = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder)], check=True)
    (folder / "params.yaml").write_bytes(text(changed(OTHER)))
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    (folder / "benchmarks/results.json").write_text(json.dumps({"machine": "another"}))
    with chdir(folder):
        Pipeline(skills={"anil": 0.9}, seeds=(43, 44), tests=40).write()
        report.write()
    return folder


def test_the_tests_pass_after_other_runs(clone: Path) -> None:
    git = ["git", "status", "--porcelain"]
    before = subprocess.check_output(git, cwd=clone, text=True)
    assert {"params.yaml", "dvc.lock", "data/report/comparison.json"} <= {line[3:] for line in before.splitlines()}
    which = ["-m", "not slow and not hypothesis", *READ_WHAT_IS_COMMITTED]  # random draws would find nothing more here
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *which]
    done = subprocess.run(line, cwd=clone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-5000:]
    assert subprocess.check_output(git, cwd=clone, text=True) == before
