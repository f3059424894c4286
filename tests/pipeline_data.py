"""The pipeline of two short runs with nothing but its data, which is made once."""

from pathlib import Path

import pytest
from made_once import made_once
from params_file import changed
from repository import Repository
from worker_cases import PARAMS


def pipeline_with_data(request: pytest.FixtureRequest) -> Repository:
    """Tests take copies of it."""

    def fill(folder: Path) -> None:
        Repository(folder, changed(PARAMS)).dvc("repro", "preprocess")

    return Repository.at(made_once(request, "with-data", fill))
