"""A pipeline of two short runs, computed one after the other: what workers must end in."""

from pathlib import Path

import pytest
from params_file import changed
from repository import Repository
from worker_cases import PARAMS


@pytest.fixture(scope="session")
def with_data(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The pipeline with nothing but its data; tests take copies."""
    repository = Repository(tmp_path_factory.mktemp("data"), changed(PARAMS))
    repository.dvc("repro", "preprocess")
    return repository


@pytest.fixture(scope="session")
def undisturbed(with_data: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    repository = with_data.copy_to(tmp_path_factory.mktemp("undisturbed"))
    repository.dvc("repro")
    return repository


@pytest.fixture
def workspace(with_data: Repository, tmp_path: Path) -> Repository:
    return with_data.copy_to(tmp_path)
