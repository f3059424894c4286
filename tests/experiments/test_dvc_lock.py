"""Which commit of this project a folder's code is."""

from pathlib import Path

import pytest
from params_file import ROOT

from experiments.dvc_lock import commit_of_code
from tools.clone import git


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(ROOT)
    git("clone", "-q", "--depth", "1", ROOT.as_uri(), str(tmp_path / "clone"))
    return tmp_path / "clone"


def test_a_clone_has_the_code_of_its_commit(clone: Path) -> None:
    assert commit_of_code(clone) == git("rev-parse", "HEAD").strip()


def test_changed_params_are_not_code(clone: Path) -> None:
    (clone / "params.yaml").write_text("other")
    assert commit_of_code(clone) == git("rev-parse", "HEAD").strip()


@pytest.mark.parametrize("path", ["metaglot/meta_train.py", "metaglot/algorithms/new.py"])
def test_changed_and_added_code_is_of_no_commit(clone: Path, path: str) -> None:
    (clone / path).write_text("other")
    assert commit_of_code(clone) is None
