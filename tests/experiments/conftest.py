from collections.abc import Iterator
from pathlib import Path

import pytest
from params_file import TEXT
from pipeline_data import pipeline_with_data
from ran_experiment import ran
from repository import Repository

from experiments.save_record import save_record


@pytest.fixture(scope="session")
def with_data(request: pytest.FixtureRequest) -> Repository:
    return pipeline_with_data(request)


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory: a project with the params of this one, where nothing was benchmarked or found yet."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_bytes(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """docs/findings of three experiments, one of them so far from two seeds."""
    place = tmp_path_factory.mktemp("findings")
    for name, seeds in (("engines-batched", None), ("engines-learn2learn", [42, 43]), ("paper-5way-5shot", None)):
        save_record(name, ran(place / name, name), seeds, to=place / "docs")
    return place / "docs"
