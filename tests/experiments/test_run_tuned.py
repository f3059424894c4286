"""Candidates and replicates that are really run."""

import json
from pathlib import Path

import pytest
import yaml
from repository import Repository
from tiny_experiments import TITLES, declare, experiments, recorded

pytestmark = pytest.mark.slow
GRID = {"maml": {"fast_lr": [0.2, 0.5]}, "protonet": {"meta_lr": [0.001, 0.003]}}
DECLARED = {
    "tuning": TITLES | {"settings": {"seeds": [7]}, "grid": GRID},
    "tuned": TITLES | {"settings": {"algorithms": ["maml"]}, "replicates": [1], "tuned_by": "tuning"},
}


def test_candidates_are_trained_without_a_test_and_the_tuned_experiment_takes_the_choice(
    with_data: Repository, tmp_path: Path
) -> None:
    repository = declare(with_data.copy_to(tmp_path), DECLARED)
    refused = repository.run("python", "-m", "experiments", "run", "tuned")
    assert refused.returncode == 1 and "tuning has not chosen settings of maml" in refused.stderr
    experiments(repository, "tune", "tuning", "--workers", "2")
    record = json.loads(recorded(repository)["tuning/candidates.json"])
    assert [each["algorithm"] for each in record["candidates"]] == ["maml", "maml", "protonet", "protonet"]
    clone = repository.folder / ".metaglot/findings/tuning"
    assert not list(clone.glob("data/results/*.json")) and not list(clone.glob("data/scores/*"))
    experiments(repository, "run", "tuned")
    params = yaml.safe_load(recorded(repository)["tuned/1/params.yaml"])
    for key, value in record["chosen"]["maml"].items():
        assert params["settings"]["maml"][key] == value
    assert (params["split"]["seed"], params["seeds"], params["evaluate"]["seed"]) == (1, [1], 1)
