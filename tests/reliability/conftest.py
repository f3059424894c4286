"""What the tests of faults share: finished pipelines to harm, processes to kill, and the figures that they gave."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from made_once import made_once
from params_file import TINY, changed, text
from repository import Repository
from stage_process import PIPELINE, Stages

from metaglot.core.common.atomic_files import write_json
from stages.report import BENCH

Say = Callable[[str], None]


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Say:
    """Says in the summary of the tests what one of them counted: docs/reliability.md quotes it."""
    return lambda line: record_property("figure", line)


@pytest.fixture(scope="session")
def stages() -> Iterator[Stages]:
    """Runs stages in processes of their own that have imported everything, so that they begin, or die, at once."""
    with Stages() as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(request: pytest.FixtureRequest, stages: Stages) -> Path:
    """A folder in which every stage has run, on a tiny task of glyphs; nobody may change it."""

    def fill(folder: Path) -> None:
        (folder / "params.yaml").write_bytes(text(changed(TINY | {"algorithms": ["maml"]})))
        saved = {"median": 0.2, "low": 0.1, "high": 0.3}
        write_json(folder / BENCH, {"machine": "Some CPU", "first_order_saves": {"batched": saved}})
        for line in PIPELINE:
            stages.succeed(folder, line)

    return made_once(request, "undisturbed", fill)


@pytest.fixture
def harmed(undisturbed: Path, tmp_path: Path) -> Path:
    """A copy of it, to do harm to."""
    return shutil.copytree(undisturbed, tmp_path / "harmed")


@pytest.fixture
def repository(undisturbed: Path, tmp_path: Path) -> Repository:
    """A git repository in which, for all that DVC knows, every stage has run; it has nothing in its run cache."""
    (tmp_path / "repository").mkdir()
    made = Repository(tmp_path / "repository", changed(TINY | {"algorithms": ["maml"]}))
    shutil.copytree(undisturbed / "data", made.folder / "data", dirs_exist_ok=True)
    made.dvc("commit", "--force")
    made.commit("Run everything")
    return made
