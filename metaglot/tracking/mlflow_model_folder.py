"""The folder of an MLflow model: a trained run's files, the code that answers with them, and what MLflow reads of both.

It is written without importing torch or the model's code, which `mlflow.pyfunc.save_model` would run.
"""

import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path

import yaml
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType, Array, Map

LIBRARY = Path(__file__).parents[1]
PACKAGES = ("core", "datasets", "inference")  # what the model's code imports, besides its own algorithm
MODEL_CODE, EXAMPLE = "mlflow_model.py", "example_request.json"  # in metaglot/inference
FILES = ("run.json", "weights.safetensors", "adaptation.json")  # of a run's folder; the last one may be missing
ENVIRONMENT = "python_env.yaml"
REQUIREMENTS = (  # the library's dependencies, and what serves the model
    "mlflow numpy pandas pillow pydantic pyyaml safetensors scipy torch".split()
)
EXAMPLE_INFO = {
    "artifact_path": "input_example.json",
    "type": "json_object",
    "serving_input_path": "serving_input_example.json",
}
IMAGES = Array(AnyType())  # nested lists of numbers, or texts
SIGNATURE = ModelSignature(
    inputs=Schema(
        [
            ColSpec(IMAGES, "support"),
            ColSpec(Array(DataType.string), "labels"),
            ColSpec(IMAGES, "queries"),
            ColSpec(DataType.long, "steps", required=False),
            ColSpec(DataType.boolean, "transductive", required=False),
        ]
    ),
    outputs=Schema([ColSpec(Array(DataType.string), "labels"), ColSpec(Array(Map(DataType.double)), "probabilities")]),
)


def write_model_folder(folder: Path, run_folder: Path, algorithm: str, run_id: str, model_id: str) -> None:
    """Write the model of the training in `run_folder`. No path of this machine is recorded."""
    artifacts = {}
    (folder / "artifacts").mkdir(parents=True)
    for name in FILES:
        if (run_folder / name).exists():
            shutil.copy(run_folder / name, folder / "artifacts")
            artifacts[Path(name).stem] = {"path": f"artifacts/{name}", "uri": name}
    _copy_code(folder, algorithm)
    _write_example(folder)
    _write_environment(folder)
    model = Model(
        artifact_path="model",
        run_id=run_id,
        model_id=model_id,
        model_uuid=model_id,
        signature=SIGNATURE,
        saved_input_example_info=EXAMPLE_INFO,
    )
    model.add_flavor(
        "python_function",
        loader_module="mlflow.pyfunc.loaders.code_model",
        python_version=platform.python_version(),
        model_code_path=MODEL_CODE,
        code="code",
        env={"virtualenv": ENVIRONMENT},
        artifacts=artifacts,
    )
    # This key leaves the check of a request to the model's code: MLflow's own would put the whole request, with all its
    # images, into the message about a mistake.
    record = model.to_dict() | {"is_signature_from_type_hint": True}
    (folder / "MLmodel").write_text(yaml.safe_dump(record, sort_keys=False))


def _copy_code(folder: Path, algorithm: str) -> None:
    target = folder / "code" / LIBRARY.name
    for package in PACKAGES:
        shutil.copytree(LIBRARY / package, target / package, ignore=shutil.ignore_patterns("__pycache__"))
    (target / "algorithms").mkdir()
    for name in ("__init__.py", "algorithms/__init__.py", f"algorithms/{algorithm}.py"):
        shutil.copy(LIBRARY / name, target / name)
    shutil.copy(LIBRARY / "inference" / MODEL_CODE, folder)


def _write_example(folder: Path) -> None:
    """Two glyphs: ten labelled images and two queries, as MLflow and as its server take them."""
    request = (LIBRARY / "inference" / EXAMPLE).read_text()
    (folder / EXAMPLE_INFO["artifact_path"]).write_text(request)
    (folder / EXAMPLE_INFO["serving_input_path"]).write_text(json.dumps({"inputs": json.loads(request)}))


def _write_environment(folder: Path) -> None:
    """The installed versions, without what a wheel's name adds for a kind of machine, such as +cu130."""
    (folder / "requirements.txt").write_text("".join(f"{_pin(name)}\n" for name in REQUIREMENTS))
    environment = {
        "python": platform.python_version(),
        "build_dependencies": ["pip", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }
    (folder / ENVIRONMENT).write_text(yaml.safe_dump(environment, sort_keys=False))


def _pin(name: str) -> str:
    return f"{name}=={version(name).partition('+')[0]}"
