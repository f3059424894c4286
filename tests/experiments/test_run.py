"""Experiments that really run, on glyphs: values, candidates and replicates, and the cache of another folder."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from params_file import TINY, changed
from repository import Repository

pytestmark = pytest.mark.slow
PARAMS = changed(TINY | {"run.threads": 1, "train.iterations": 4, "train.validate_every": 2})
TITLES = {"title": "Tiny", "question": "How much?"}
VARY = {"key": "settings.maml.second_order", "symbol": "c", "values": [0.5, 1.0], "reference": 1.0}
VARIED = TITLES | {"settings": {"algorithms": ["maml"], "seeds": [1, 2]}, "vary": VARY}
GRID = {"maml": {"fast_lr": [0.2, 0.5]}, "protonet": {"meta_lr": [0.001, 0.003]}}
DECLARED = {
    "varied": VARIED,
    "tuning": TITLES | {"settings": {"seeds": [7]}, "grid": GRID},
    "tuned": TITLES | {"settings": {"algorithms": ["maml", "protonet"]}, "replicates": [1], "tuned_by": "tuning"},
}


def project(folder: Path, declared: dict[str, Any]) -> Repository:
    """The pipeline on glyphs, with these experiments."""
    repository = Repository(folder, PARAMS)
    (folder / "experiments/experiments.yaml").write_text(yaml.safe_dump(declared))
    repository.commit("Tiny experiments")
    return repository


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return project(tmp_path_factory.mktemp("project"), DECLARED)


def experiments(repository: Repository, *arguments: str) -> str:
    return repository.succeed("python", "-m", "experiments", *arguments)


def recorded(repository: Repository) -> dict[str, bytes]:
    findings = repository.folder / "docs/findings"
    return {str(path.relative_to(findings)): path.read_bytes() for path in findings.rglob("*.*") if path.is_file()}


def test_each_value_is_run_and_recorded_and_another_folder_takes_it_from_the_cache(
    repository: Repository, tmp_path: Path
) -> None:
    experiments(repository, "run", "varied")
    first = recorded(repository)
    assert {name.split("/")[1] for name in first if name.startswith("varied")} == {"0.5", "1"}
    params = yaml.safe_load(first["varied/0.5/params.yaml"])
    assert params["settings"]["maml"]["second_order"] == 0.5 and params["seeds"] == [1, 2]
    assert first["varied/0.5/results/maml-1.json"] != first["varied/1/results/maml-1.json"]
    more = {"vary": VARY | {"values": [0.5, 1.0, 1.5]}, "settings": {"algorithms": ["maml"], "seeds": [1, 2, 3]}}
    other = project(tmp_path / "other", {"varied": VARIED | more})
    output = experiments(other, "record", "varied", "--from", str(repository.folder))
    assert "varied/1.5: no seed is complete yet" in output
    about = yaml.safe_load(recorded(other)["varied/1/about.json"])
    assert (about["recorded"], about["asked"]) == ([1, 2], [1, 2, 3])
    assert recorded(other)["varied/0.5/results/maml-2.json"] == first["varied/0.5/results/maml-2.json"]
    output = experiments(other, "record", "varied/1", "--from", str(repository.folder), "--seeds", "1")
    assert "varied/1: its record stays, which has more seeds" in output


def test_candidates_are_trained_without_a_test_and_the_tuned_experiment_takes_the_choice(
    repository: Repository,
) -> None:
    refused = repository.run("python", "-m", "experiments", "run", "tuned")
    assert refused.returncode == 1 and "tuning has not chosen settings of maml, protonet" in refused.stderr
    experiments(repository, "tune", "tuning", "--workers", "2")
    record = json.loads(recorded(repository)["tuning/candidates.json"])
    assert [each["algorithm"] for each in record["candidates"]] == ["maml", "maml", "protonet", "protonet"]
    clone = repository.folder / ".metaglot/findings/tuning"
    assert not list(clone.glob("data/results/*.json")) and not list(clone.glob("data/scores/*"))
    experiments(repository, "run", "tuned")
    params = yaml.safe_load(recorded(repository)["tuned/1/params.yaml"])
    for algorithm, chosen in record["chosen"].items():
        for key, value in chosen.items():
            assert params["settings"][algorithm][key] == value
    assert (params["split"]["seed"], params["seeds"], params["evaluate"]["seed"]) == (1, [1], 1)
