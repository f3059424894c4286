"""The clone of an experiment: one commit for all of its parts, and one command at a time."""

from pathlib import Path

import pytest
from repository import Repository
from tiny_experiments import PARAMS, TITLES, declare

from experiments import declared
from experiments.run_in_clone import prepare_clone
from metaglot.core.common.atomic_files import read_yaml
from tools.clone import checked_out, last_commit

DECLARED = {"two": TITLES | {"settings": {"algorithms": ["protonet"]}, "replicates": [1, 2]}}


def test_every_part_is_prepared_from_the_commit_that_the_command_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = declare(Repository(tmp_path, PARAMS), DECLARED)
    monkeypatch.chdir(repository.folder)
    monkeypatch.setattr(declared, "TABLE", repository.folder / "experiments/experiments.yaml")
    first = last_commit()
    (prepare_clone("two/1", first) / "checkpoint").touch()
    (repository.folder / "params.yaml").write_text("seeds: [3]\n")
    repository.commit("While the first part was trained")
    clone = prepare_clone("two/2", first)
    assert checked_out(clone) == first != last_commit() and (clone / "checkpoint").exists()
    assert read_yaml(clone / "params.yaml")["seeds"] == [2]
