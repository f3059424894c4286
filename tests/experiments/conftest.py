from collections.abc import Iterator
from pathlib import Path

import pytest
from params_file import TEXT


@pytest.fixture(scope="module", autouse=True)
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The working directory: a project with the params of this one, where nothing was benchmarked or found yet."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "params.yaml").write_bytes(TEXT)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield folder
