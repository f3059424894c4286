"""The folder of a model: what MLflow reads, what it needs to run anywhere, and nothing of this machine."""

import json
import re
import subprocess
import sys
import tomllib
from contextlib import chdir
from importlib.metadata import version
from pathlib import Path

import grimp
import mlflow
import pytest
import untrained_model
import yaml
from packaging.requirements import Requirement
from params_file import ROOT

from metaglot.algorithms.registry import ALGORITHMS
from metaglot.datasets.registry import DATASETS
from metaglot.inference.predictor import load_predictor
from metaglot.inference.task_requests import answer
from metaglot.tracking.mlflow_model_folder import write_model_folder

AT_IMPORT = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning")  # of mlflow.pyfunc


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    with chdir(folder):
        return folder / untrained_model.write(image_size=14)


@pytest.fixture(scope="module")
def model(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "model"
    write_model_folder(folder, run, "maml", "some run", "m-1")
    return folder


def files(folder: Path) -> dict[str, Path]:
    return {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}


def test_it_holds_the_run_s_files_and_no_pickle(run: Path, model: Path) -> None:
    names = files(model)
    for name in ("run.json", "weights.safetensors", "adaptation.json"):
        assert names[f"artifacts/{name}"].read_bytes() == (run / name).read_bytes()
    kinds = {path.suffix for path in names.values()}
    assert kinds == {"", ".txt", ".json", ".yaml", ".py", ".c", ".h", ".safetensors"}
    assert names["mlflow_model.py"].read_bytes() == (ROOT / "metaglot/inference/mlflow_model.py").read_bytes()
    assert not [name for name in names if "__pycache__" in name]


def test_it_holds_every_module_that_its_code_imports_also_by_name(model: Path) -> None:
    graph = grimp.build_graph("metaglot", cache_dir=None)
    named = [place.split(":")[0] for place in (ALGORITHMS["maml"], *DATASETS.values())]
    modules = {"metaglot.inference.mlflow_model", *named}
    modules = modules.union(*(graph.find_upstream_modules(module) for module in modules))
    assert {f"code/{module.replace('.', '/')}.py" for module in modules} <= set(files(model))


def test_it_names_no_path_of_this_machine_and_no_address(run: Path, model: Path) -> None:
    names = {name for name in files(model) if not name.startswith(("code/", "artifacts/weights"))}
    texts = {name: (model / name).read_text() for name in names}
    assert {"MLmodel", "requirements.txt", "python_env.yaml"} <= names
    places = (str(ROOT), str(run.parents[2]), str(model.parent), sys.prefix, "://")
    assert [(name, place) for name, text in texts.items() for place in places if place in text] == []


def test_it_requires_the_library_s_packages_and_mlflow_as_installed(model: Path) -> None:
    library = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {Requirement(line).name for line in library} | {"mlflow", "pandas"}
    assert (model / "requirements.txt").read_text().split() == [
        f"{name}=={re.sub('[+].*', '', version(name))}" for name in sorted(names)
    ]
    environment = yaml.safe_load((model / "python_env.yaml").read_text())
    assert environment["dependencies"] == ["-r requirements.txt"] and sys.version.startswith(environment["python"])


@AT_IMPORT
def test_mlflow_reads_its_signature_and_its_example(model: Path) -> None:
    from mlflow.models import Model

    about = Model.load(str(model))
    inputs, outputs = about.get_input_schema(), about.get_output_schema()
    assert inputs.input_names() == ["support", "labels", "queries", "steps", "transductive"]
    assert inputs.required_input_names() == ["support", "labels", "queries"]
    assert outputs.input_names() == ["labels", "probabilities"]
    example = about.load_input_example(str(model))
    assert json.loads(about.get_serving_input(str(model)) or "") == {"inputs": example}
    assert (about.run_id, about.model_id) == ("some run", "m-1")


@AT_IMPORT
def test_mlflow_loads_it_and_its_answers_are_the_predictor_s(
    run: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))  # MLflow adds the model's code
    loaded = mlflow.pyfunc.load_model(str(model))
    request = loaded.input_example
    expected = answer(load_predictor(run), request)
    assert loaded.predict(request) == expected
    assert loaded.predict([request, request]) == [expected, expected]


@pytest.mark.slow
def test_it_needs_no_copy_of_this_project(run: Path, model: Path, tmp_path: Path) -> None:
    script = "import mlflow, json, sys; model = mlflow.pyfunc.load_model(sys.argv[1])\nimport metaglot"
    script += "\nprint(json.dumps([metaglot.__file__, model.predict(model.input_example)]))"
    line = [sys.executable, "-I", "-c", script, str(model)]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    imported, reply = json.loads(done.stdout)
    assert imported == str(model / "code/metaglot/__init__.py")
    assert reply == answer(load_predictor(run), json.loads((model / "input_example.json").read_text()))
