"""Tests compute on one thread, and those that ask for more let them sleep: on a busy machine they would wait long.

Each begins from the same random state, so that what passes once passes again.
"""

import io
import os
import random
import subprocess
import tarfile
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np  # noqa: E402  # after the number of threads
import torch  # noqa: E402


@pytest.fixture(autouse=True)
def same_random_state() -> None:
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def committed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the last commit: what lies in the working tree may be of another run of the pipeline."""
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=Path(__file__).parents[1], capture_output=True)
    if archive.returncode:
        pytest.skip("needs git: it compares what is committed")
    folder = tmp_path_factory.mktemp("committed")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extraction_filter = getattr(tarfile, "data_filter", None)  # Debian 12's Python has none
        files.extractall(folder)
    return folder


# They take most of the time. They start first, so that no core waits for the other at the end.
LONGEST = (
    "tests/test_pipeline.py",
    "tests/cluster/",
    "tests/experiments/test_run",
    "tests/stages/support/test_checkpoints.py",
    "tests/stages/test_track_destinations.py",
    "tests/reliability/test_repro_killed.py",
    "tests/test_own_images_dvc.py",
    "tests/test_after_other_runs.py",
    "tests/test_structure.py",
    "tests/tools/test_repro_on_glyphs.py",
    "tests/benchmarks/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the tests of faults counted, in whichever process they ran."""
    for report in terminalreporter.getreports("passed"):
        for line in (value for name, value in report.user_properties if name == "figure"):
            terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {line}")
