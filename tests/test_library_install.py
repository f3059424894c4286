"""`pip install .` gives the library, and the library needs nothing of the pipeline's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from params_file import ROOT

pytestmark = pytest.mark.slow

PIPELINE = ("dvc", "mlflow", "learn2learn", "ray", "typer", "ruamel", "altair", "filelock", "jinja2", "sqlalchemy")
PIPELINE += ("requests", "rich", "urllib3", "torchvision")
LIBRARY = """
import sys
sys.modules.update(dict.fromkeys({blocked}, None))  # an import of these fails
import numpy as np
from metaglot.core.common.errors import UserError
from metaglot.inference.predictor import load_predictor
from metaglot.meta_train import meta_train
import metaglot
images = np.random.default_rng(0).integers(0, 256, (20, 10, 28, 28), np.uint8)
for model in ("fc", "conv"):
    meta_train(images, model, "maml", model=model, shots=2, queries=2, iterations=2, validation_tasks=2)
    adapted = load_predictor(model).adapt([*images[0, :2], *images[1, :2]], ["a", "a", "b", "b"])
    assert adapted.predict([images[0, 3]])[0].label in ("a", "b")
try:
    meta_train(images, "none", shots=2, queries=2, iterations=2, engine="learn2learn")
except UserError as error:
    assert str(error) == "train.engine: got learn2learn, which is not installed; takes batched without it", error
print(metaglot.__file__)
"""


def test_the_installed_library_trains_and_predicts_without_the_pipeline(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(tmp_path)]
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(source)], check=True)
    subprocess.run([*pip, str(source)], check=True)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-W", "error", "-c", LIBRARY.format(blocked=PIPELINE)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")  # also no warning that C files are missing
    assert done.stdout.strip() == str(tmp_path / "metaglot/__init__.py")
