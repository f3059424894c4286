"""The values of a varied key, really run, and taken from the cache of another folder."""

import os
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from repository import Repository
from tiny_experiments import TITLES, declare, experiments, recorded
from worker_cases import trainings, wait_until

pytestmark = pytest.mark.slow
VARY = {"key": "settings.maml.second_order", "symbol": "c", "values": [0.5, 1.0], "reference": 1.0}
VARIED = TITLES | {"settings": {"algorithms": ["maml"], "seeds": [1]}, "vary": VARY}


def test_each_value_is_run_and_recorded_and_another_folder_takes_it_from_the_cache(
    with_data: Repository, tmp_path: Path
) -> None:
    repository = declare(with_data.copy_to(tmp_path / "project"), {"varied": VARIED})
    experiments(repository, "run", "varied")
    first = recorded(repository)
    assert {name.split("/")[1] for name in first if name.startswith("varied")} == {"0.5", "1"}
    params = yaml.safe_load(first["varied/0.5/params.yaml"])
    assert params["settings"]["maml"]["second_order"] == 0.5 and params["seeds"] == [1]
    assert first["varied/0.5/results/maml-1.json"] != first["varied/1/results/maml-1.json"]
    more = {"vary": VARY | {"values": [0.5, 1.0, 1.5]}, "settings": {"algorithms": ["maml"], "seeds": [1, 2]}}
    other = declare(with_data.copy_to(tmp_path / "other"), {"varied": VARIED | more})
    output = experiments(other, "record", "varied", "--from", str(repository.folder))
    assert "varied/1.5: no seed is complete yet" in output
    about = yaml.safe_load(recorded(other)["varied/1/about.json"])
    assert (about["recorded"], about["asked"]) == ([1], [1, 2])
    assert recorded(other)["varied/0.5/results/maml-1.json"] == first["varied/0.5/results/maml-1.json"]


def is_validated(clone: Path) -> bool:
    """Whether a training has written a line of its history below the header and the first validation."""
    return any(path.read_text().count("\n") > 2 for path in clone.glob("**/models/maml-1/history.csv"))


@pytest.mark.parametrize("options", [[], ["--workers", "2"]], ids=["one at a time", "workers"])
def test_sigterm_ends_its_trainings_which_save_a_checkpoint(
    with_data: Repository, tmp_path: Path, options: list[str]
) -> None:
    long = {"train.iterations": 10**6, "train.validate_every": 50}
    repository = declare(with_data.copy_to(tmp_path), {"varied": VARIED | {"settings": VARIED["settings"] | long}})
    command = ["python", "-m", "experiments", "run", "varied/1", *options]
    clone = repository.folder / ".metaglot/findings/varied"
    with subprocess.Popen(command, cwd=repository.folder, env=repository.environment()) as process:
        try:
            wait_until(lambda: trainings(clone) and is_validated(clone), 100)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 128 + signal.SIGTERM
            wait_until(lambda: not trainings(clone), 15)
        finally:
            for training in trainings(clone):
                os.kill(training, signal.SIGKILL)
    assert list(repository.folder.glob(".metaglot/**/checkpoints/maml-1-*/last"))
