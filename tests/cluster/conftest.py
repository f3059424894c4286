"""A pipeline of two short runs, computed one after the other: what workers must end in."""

from pathlib import Path

import pytest
from params_file import changed
from repository import Repository
from worker_cases import PARAMS


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = Repository(tmp_path_factory.mktemp("undisturbed"), changed(PARAMS))
    repository.dvc("repro")
    return repository


@pytest.fixture
def workspace(tmp_path: Path) -> Repository:
    """The same pipeline with nothing but its data."""
    repository = Repository(tmp_path, changed(PARAMS))
    repository.dvc("repro", "preprocess")
    return repository
