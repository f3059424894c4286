"""README's command takes a folder of images, and a changed image runs only what it changes."""

import re
import shlex
from pathlib import Path

import pytest
from image_classes import write_folder
from params_file import ROOT, TINY, changed
from repository import Repository, ran

pytestmark = pytest.mark.slow

CLASSES = {f"class {n}": 5 for n in range(9)} | {"few": 2}
TASK = {"task.ways": 2, "task.shots": 2, "task.queries": 2, "algorithms": ["maml"], "data.source": "omniglot"}
OF_A_RUN = {"train@maml-42", "evaluate@maml-42", "track@maml-42"}

(README,) = re.findall(r"^(\*\*Train on your own data\.\*\*.+?)\n\n\*\*", (ROOT / "README.md").read_text(), re.M | re.S)
(COMMAND,) = re.findall(r"^    (dvc .+)$", README, re.M)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder outside the repository."""
    return write_folder(tmp_path_factory.mktemp("outside") / "Bird é 日", CLASSES)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, images: Path) -> Repository:
    """A clean clone after one experiment."""
    clone = Repository(tmp_path_factory.mktemp("repository"), changed(TINY | TASK))
    dvc, *arguments = shlex.split(COMMAND)
    assert dvc == "dvc"
    output = clone.dvc(*[argument.replace("/data/birds", f'"{images}"') for argument in arguments])
    assert ran(output) == {"configure", "download", "preprocess", "report"} | OF_A_RUN
    return clone


def test_readme_says_it_in_ten_lines() -> None:
    assert len([line for line in README.splitlines() if line]) <= 10


def test_one_path_is_all_it_takes(repository: Repository) -> None:
    assert repository.published() == ["MAML · seed 42"]
    comparison = (repository.folder / "data/report/comparison.md").read_text()
    assert "2-way 2-shot Bird é 日" in comparison


def test_a_change_without_consequences_runs_preprocess_alone(repository: Repository, images: Path) -> None:
    assert ran(repository.dvc("repro")) == set()
    (images / ".DS_Store").write_bytes(b"hidden")
    (images / "few" / "003.png").write_bytes((images / "few" / "001.png").read_bytes())
    assert ran(repository.dvc("repro")) == {"preprocess"}


def test_a_removed_image_trains_again(repository: Repository, images: Path) -> None:
    for number in range(9):
        (images / f"class {number}" / "004.jpg").unlink()
    assert ran(repository.dvc("repro")) == {"preprocess", "report"} | OF_A_RUN


def test_a_folder_that_is_gone_is_named(repository: Repository, images: Path) -> None:
    images.rename(images.with_name("moved"))
    done = repository.run("dvc", "repro")
    assert done.returncode and f"No such file or directory: '{images}'" in done.stderr
