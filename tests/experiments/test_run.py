"""Experiments that really run, on glyphs: in a clone, part by part, and from the cache of another folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from params_file import TINY, changed
from repository import Repository

pytestmark = pytest.mark.slow
VARIED = {
    "title": "Two values",
    "question": "How much?",
    "settings": {"algorithms": ["maml"], "seeds": [1, 2]},
    "vary": {"key": "settings.maml.second_order", "symbol": "c", "values": [0.5, 1.0], "reference": 1.0},
    "also": ["imaml"],
}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Repository]:
    """The pipeline on glyphs, with an experiment that varies one key."""
    repository = Repository(tmp_path_factory.mktemp("project"), changed(TINY | {"run.threads": 1}))
    (repository.folder / "experiments/experiments.yaml").write_text(yaml.safe_dump({"tiny": VARIED}))
    repository.commit("A tiny experiment")
    yield repository


def experiments(repository: Repository, *arguments: str) -> str:
    return repository.succeed("python", "-m", "experiments", *arguments)


def recorded(repository: Repository) -> dict[str, bytes]:
    findings = repository.folder / "docs/findings"
    return {str(path.relative_to(findings)): path.read_bytes() for path in findings.rglob("*.*") if path.is_file()}


def test_each_value_is_run_and_recorded_and_the_second_time_nothing_is_trained(repository: Repository) -> None:
    experiments(repository, "run", "tiny")
    first = recorded(repository)
    assert {name.partition("/")[2].partition("/")[0] for name in first} == {"0.5", "1", "imaml"}
    params = yaml.safe_load(first["tiny/0.5/params.yaml"])
    assert params["settings"]["maml"]["second_order"] == 0.5 and params["seeds"] == [1, 2]
    assert first["tiny/0.5/results/maml-1.json"] != first["tiny/1/results/maml-1.json"]
    output = experiments(repository, "run", "tiny")
    assert "Running stage 'train@" not in output
    assert recorded(repository) == first


def test_what_another_folder_computed_run_by_run_is_recorded_from_its_cache(
    repository: Repository, tmp_path: Path
) -> None:
    other = repository.copy_to(tmp_path / "other")
    other.change(changed(TINY | {"run.threads": 1, "algorithms": ["maml"], "seeds": [2]}))
    other.dvc("repro", "evaluate@maml-2")
    other.change(changed(TINY | {"run.threads": 1, "algorithms": ["maml"], "seeds": [7]}))
    said = experiments(repository, "record", "tiny/1", "--from", str(other.folder))
    assert "its record stays, which has more seeds" in said
    fresh = Repository(tmp_path / "fresh", changed(TINY | {"run.threads": 1}))
    (fresh.folder / "experiments/experiments.yaml").write_text(yaml.safe_dump({"tiny": VARIED}))
    fresh.commit("A tiny experiment")
    said = experiments(fresh, "record", "tiny", "--from", str(other.folder))
    assert "tiny/0.5: no seed is complete yet" in said and "docs/findings/tiny/1" in said
    about = yaml.safe_load(recorded(fresh)["tiny/1/about.json"])
    assert (about["recorded"], about["asked"]) == ([2], [1, 2])
