"""A champion of a server over PostgreSQL, served by MLflow: it answers as the predictor, mistakes with one line."""

import json
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import untrained_model
from mlflow import MlflowClient
from mlflow_runs import MODEL
from postgresql import postgresql
from served_model import post, served
from stage_process import Stages

from metaglot.inference import task_requests
from metaglot.inference.predictor import Predictor, load_predictor
from metaglot.inference.task_requests import answer
from tools.mlflow_server import free_port, serve

pytestmark = pytest.mark.slow

REQUEST: dict[str, Any] = json.loads(Path(task_requests.__file__).with_name("example_request.json").read_text())


class Serving(NamedTuple):
    address: str
    predictor: Predictor
    tracking: str


@pytest.fixture(scope="module")
def serving(stages: Stages, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Two seeds are published to `mlflow server`, one of them twice; the champion is served."""
    workspace, folder = tmp_path_factory.mktemp("workspace"), tmp_path_factory.mktemp("server")
    with chdir(workspace):
        runs = [untrained_model.write(seed=seed) for seed in (4, 3)]  # equally good: the smaller seed is champion
    with postgresql(free_port()) as store, serve(folder, free_port(), store=store) as tracking:
        for seed in (4, 3, 4):
            ended = stages.run(workspace, f"track maml --seed {seed}", environment={"MLFLOW_TRACKING_URI": tracking})
            assert ended.code == 0, ended.output
        with served(f"models:/{MODEL}@champion", folder, tracking) as address:
            yield Serving(address, load_predictor(workspace / runs[1]), tracking)


def test_each_run_has_one_model_and_one_version(serving: Serving) -> None:
    mlflow = MlflowClient(serving.tracking)
    (experiment_id,) = [each.experiment_id for each in mlflow.search_experiments() if each.name != "Default"]
    runs = mlflow.search_runs([experiment_id])
    assert {run.info.run_name for run in runs} == {"MAML · seed 3", "MAML · seed 4"}
    assert {run.info.status for run in runs} == {"FINISHED"}
    models, versions = mlflow.search_logged_models([experiment_id]), mlflow.search_model_versions(f"name = '{MODEL}'")
    assert len(models) == len(versions) == 2
    assert mlflow.get_model_version_by_alias(MODEL, "champion").description == "MAML · seed 3"


def test_its_answers_are_the_predictor_s(serving: Serving) -> None:
    expected = answer(serving.predictor, REQUEST)
    assert post(serving.address, {"inputs": REQUEST}).json == {"predictions": expected}
    several = post(serving.address, {"inputs": [REQUEST, REQUEST | {"steps": 2, "transductive": True}]})
    assert several.json == {
        "predictions": [expected, answer(serving.predictor, REQUEST | {"steps": 2, "transductive": True})]
    }


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        ({"inputs": {}}, "`support` is missing"),
        ({"inputs": REQUEST | {"labels": "AB"}}, "`labels` is a str; takes a list"),
        ({"inputs": REQUEST | {"labels": [1] * 10}}, "`labels`: label 1 is 1; takes a text"),
        ({"inputs": REQUEST | {"labels": ["A"] * 10}}, "`support`: got 1 classes; this network takes 2 to 5"),
        ({"inputs": REQUEST | {"queries": ["no image"]}}, "`queries`: image 1 is a text, but no PNG in base64"),
        ({"inputs": [REQUEST, REQUEST | {"support": [[[float("nan")]]]}]}, "request 2: `support`: image 1 has values"),
        ({"inputs": 5}, "a request is a mapping with `support`"),
        ({"instances": [REQUEST]}, "must be a dictionary with 'inputs' key"),
        (b"[]", "The input must be a JSON dictionary"),
        (b"{", "Ensure that input is a valid JSON formatted string"),
    ],
)
def test_a_malformed_request_gets_a_400_and_one_line(serving: Serving, request_body: Any, message: str) -> None:
    reply = post(serving.address, request_body)
    assert reply.status == 400 and reply.text.count("\n") == 0 and len(reply.text) < 500
    assert message in reply.json["message"] and "Traceback" not in reply.text
