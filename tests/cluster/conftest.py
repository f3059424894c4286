"""A pipeline of two short runs, computed one after the other: what workers must end in. And one that copies files."""

import shutil
from pathlib import Path

import pytest
import small_pipeline
from made_once import made_once
from pipeline_data import pipeline_with_data
from repository import Repository


@pytest.fixture(scope="session")
def with_data(request: pytest.FixtureRequest) -> Repository:
    return pipeline_with_data(request)


@pytest.fixture(scope="session")
def undisturbed(with_data: Repository, request: pytest.FixtureRequest) -> Repository:
    return Repository.at(made_once(request, "runs", lambda folder: with_data.copy_to(folder).dvc("repro")))


@pytest.fixture
def workspace(with_data: Repository, tmp_path: Path) -> Repository:
    return with_data.copy_to(tmp_path)


@pytest.fixture(scope="session")
def small_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    small_pipeline.make(folder, 1, 2)
    Repository.at(folder).dvc("repro", "-q", "evaluate")
    return folder


@pytest.fixture
def finished(small_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: two runs of `small_pipeline` that were trained and evaluated, and not published."""
    shutil.copytree(small_runs, tmp_path, symlinks=True, ignore=shutil.ignore_patterns("tmp"), dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path
