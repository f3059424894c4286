"""What comes from outside is never unpickled and reaches no shell; what is kept is served to nobody unasked."""

import ast
import os
import pickle
import re
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from params_file import ROOT
from shell import run_python
from stage_process import Stages

pytestmark = pytest.mark.slow

PACKAGES = ("metaglot", "stages", "experiments", "cluster", "tools", "benchmarks")
CODE = [path for part in PACKAGES for path in (ROOT / part).rglob("*.py")]
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in CODE}
UNPICKLERS = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
BY_COMMAND = {"dvc"}  # what is run and not imported


def calls() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every call in our code: file and line, what is called, its keywords."""
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                keywords = {word.arg: ast.unparse(word.value) for word in node.keywords if word.arg}
                yield f"{name}:{node.lineno}", ast.unparse(node.func), keywords


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def test_nothing_is_written_that_loads_a_pickle() -> None:
    assert {name for name, tree in TREES.items() if UNPICKLERS & {*imports(tree)}} == set()
    for where, called, keywords in calls():
        if called == "torch.load":
            assert keywords.get("weights_only") == "True", where
        if called in ("np.load", "numpy.load"):
            assert keywords.get("allow_pickle") == "False", where
        assert called not in ("yaml.unsafe_load", "yaml.full_load", "eval", "exec"), where
        if called == "yaml.load":  # PyYAML's makes objects; ruamel.yaml's does not
            assert "yaml" not in imports(TREES[where.partition(":")[0]]), where


def test_no_command_goes_through_a_shell() -> None:
    for where, called, keywords in calls():
        assert keywords.get("shell", "False") == "False", where
        assert called not in ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"), where


class Bomb:
    """Makes a file when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return open, ("taken", "w")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("evaluate maml", "data/models/maml-42/weights.safetensors"),
        ("evaluate maml", "data/splits/test.npz"),
        ("report", "data/scores/maml-42.npz"),
        ("track maml", "data/models/maml-42/run.json"),
    ],
)
@pytest.mark.parametrize("form", ["pickle", "npz"])
def test_a_pickle_in_the_place_of_a_file_is_refused_unopened(
    line: str, path: str, form: str, harmed: Path, stages: Stages
) -> None:
    (harmed / path).write_bytes(pickle.dumps(Bomb()))
    if form == "npz":
        with (harmed / path).open("wb") as file:
            np.savez(file, images=np.array([Bomb()], dtype=object), accuracy=np.array([Bomb()], dtype=object))
    ended = stages.run(harmed, line)
    assert ended.code == 1 and ended.output.startswith("error: ") and path in ended.output, ended
    assert not [*harmed.rglob("taken")]


@pytest.mark.parametrize("stage", ["preprocess", "evaluate maml", "report"])
def test_a_stage_unpickles_nothing_while_it_runs(stage: str, harmed: Path) -> None:
    name, *arguments = stage.split()
    code = f"""
import sys
from stages import {name}
def hook(event, arguments):
    if event == "pickle.find_class":
        raise SystemExit(f"unpickles {{arguments}}")
sys.addaudithook(hook)
sys.argv = ["{name}", *{arguments}]
{name}.run_command({name}.main)
"""
    done = run_python(harmed, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


def ui(*settings: str) -> str:
    """The commands of `make ui`, without running them, in a shell that names its host, as tcsh does."""
    line, environment = ["make", "-n", "-o", ".venv/installed", "ui", *settings], os.environ | {"HOST": "my-machine"}
    return subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout


def test_mlflows_pages_are_served_to_this_machine_alone_unless_told_otherwise_with_a_warning() -> None:
    assert re.search(r"mlflow ui .*--host 127\.0\.0\.1 ", ui()) and "warning" not in ui()
    opened = ui("HOST=0.0.0.0")
    assert "--host 0.0.0.0 " in opened and "warning: anybody who can reach this machine" in opened
    for name in TREES:
        assert "0.0.0.0" not in (ROOT / name).read_text(), name


def test_every_direct_dependency_is_used() -> None:
    distributions = packages_distributions()
    modules = {module for tree in TREES.values() for module in imports(tree)}
    used = {name.lower() for module in modules for name in distributions.get(module, [])}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["dependencies"] + project["optional-dependencies"]["pipeline"]
    asked = {Requirement(line).name.lower() for line in declared}
    assert asked - used - BY_COMMAND == set()
