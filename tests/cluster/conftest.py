"""A pipeline of two short runs, computed one after the other: what workers must end in. And one that copies files."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import small_pipeline
from params_file import changed
from repository import Repository
from worker_cases import PARAMS

from cluster.bring_home import cache_folder


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


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    small_pipeline.make(folder, 1, 2)
    small_pipeline.dvc(folder, "repro", "-q", "evaluate")
    return folder


@pytest.fixture
def finished(small_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory: two runs of `small_pipeline` that were trained and evaluated, and not published."""
    shutil.copytree(small_runs, tmp_path, symlinks=True, ignore=shutil.ignore_patterns("tmp"), dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    cache_folder.cache_clear()
    yield tmp_path
    cache_folder.cache_clear()
