"""Finished pipelines of known skill, read once."""

import pytest
from finished_pipeline import Finished, finished
from report_page import page_of


@pytest.fixture(scope="session")
def one_seed(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="session")
def five_seeds(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return finished(tmp_path_factory.mktemp("five"), seeds=(42, 43, 44, 45, 46))


@pytest.fixture(scope="session")
def three_algorithms(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Two seeds of each."""
    skills = {"scratch": 0.5, "anil": 0.9, "maml": 0.97}
    return finished(tmp_path_factory.mktemp("three"), skills=skills, seeds=(1, 2), tests=40)


@pytest.fixture(scope="session")
def html(one_seed: Finished) -> str:
    """The page of one seed."""
    return page_of(one_seed)
