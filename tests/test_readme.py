"""What README says to type about images of one's own is typed here, as it stands."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from cases import drawings as random_drawings
from params_file import ROOT
from shell import run_python
from trained_glyphs import drawings, save, trained

README = (ROOT / "README.md").read_text()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained network, images of two letters, and others of the second."""
    folder = tmp_path_factory.mktemp("workspace")
    trained(folder, train__iterations=1000, train__validate_every=1000)
    alpha, _, beta = drawings(3, 12)  # so unlike each other that rounding changes no answer
    save(folder / "letters", {"alpha": alpha[:3], "beta": [drawing.convert("RGB") for drawing in beta[:3]]})
    save(folder, {"unknown": beta[3:6]})
    beta[3].resize((300, 240)).save(folder / "new.png")
    return folder


def run(folder: Path, *command: str) -> str:
    done = run_python(folder, *command)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_readme_s_five_lines_of_python_know_a_new_image(workspace: Path) -> None:
    snippet, _ = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    assert len([line for line in snippet.splitlines() if line]) == 5
    assert run(workspace, "-W", "error", "-c", snippet) == "beta\n"


def test_readme_s_command_knows_a_folder_of_images(workspace: Path) -> None:
    (line,) = re.findall(r"^    (python -m stages\.predict .+)$", README, re.MULTILINE)
    rows = run(workspace, *shlex.split(line)[1:]).splitlines()
    assert rows[0] == "file,class,probability"
    assert [row.rsplit(",", 1)[0] for row in rows[1:]] == [f"{n}.png,beta" for n in (1, 2, 3)]


def test_readme_s_lines_for_a_notebook_train_a_network(tmp_path: Path) -> None:
    _, snippet = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    np.save(tmp_path / "images.npy", random_drawings(size=28, characters=20))
    run(tmp_path, "-W", "error", "-c", snippet.replace("iterations=2000", "iterations=2"))
    assert {path.name for path in (tmp_path / "my-network").iterdir()} == {
        "history.csv",
        "run.json",
        "weights.safetensors",
    }
