"""The page on adding an algorithm names what exists, and its example can be committed; test_pipeline.py trains it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from add_an_algorithm import FILE, LINE, PAGE, TEST, write
from params_file import ROOT

from metaglot.core.learners.meta_learner import MetaLearner


def test_the_page_names_only_files_that_exist_or_that_it_creates() -> None:
    named = set(re.findall(r"`((?:metaglot|tests|docs)/[\w/.]+)`", PAGE))
    named |= {f"metaglot/algorithms/{name}" for name in re.findall(r"`(\w+\.py)`", PAGE)}
    existing = {path for path in named if (ROOT / path).exists()}
    assert existing and named - existing <= {FILE[0], TEST[0]}


def test_the_page_names_every_hook() -> None:
    hooks = {name for name in vars(MetaLearner) if callable(getattr(MetaLearner, name)) and not name.startswith("_")}
    assert "adapt" in hooks and not {name for name in hooks if f"`{name}`" not in PAGE}


def test_the_example_is_formatted_and_can_be_written_twice(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "metaglot", tmp_path / "metaglot")  # ruff sorts imports by what is there
    shutil.copy(ROOT / "params.yaml", tmp_path)
    write(tmp_path)
    once = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write(tmp_path)
    assert once == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, FILE[0], TEST[0], LINE[0]]
        done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
