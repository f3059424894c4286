"""What MLflow is told of a run: names, params and numbers."""

import json
from typing import Any

import finished_run
import pytest

from metaglot.core.common.run_records import HistoryRow, RunRecord
from metaglot.evaluation.result_record import Result
from metaglot.tracking.mlflow_notes import run_note
from metaglot.tracking.mlflow_run import experiment_name, mlflow_run


def run(algorithm: str = "maml", **changes: Any) -> RunRecord:
    return RunRecord.model_validate_json(json.dumps(finished_run.run_record(algorithm, 42, **changes)))


def result() -> Result:
    return Result.model_validate_json(json.dumps(finished_run.result("maml", 42)))


@pytest.mark.parametrize(
    "changes, name",
    [
        ({}, "omniglot-5way-5shot-fc"),
        ({"model": "conv"}, "omniglot-5way-5shot-conv"),
        ({"split": {"kind": "background", "seed": 42}}, "omniglot-5way-5shot-fc-background"),
        ({"split": {"kind": "random", "seed": 7}}, "omniglot-5way-5shot-fc-split7"),
        (
            {"task": {"ways": 20, "shots": 1, "queries": 5, "rotations": "task"}},
            "omniglot-20way-1shot-fc-rotations-task",
        ),
        (
            {"task": {"ways": 5, "shots": 5, "queries": 5, "rotations": "class", "characters": "alphabet"}},
            "omniglot-5way-5shot-fc-within-alphabet",
        ),
        ({"dataset": "glyphs (synthetic)"}, "glyphs (synthetic)-5way-5shot-fc"),
    ],
)
def test_an_experiment_is_named_after_its_task(changes: dict[str, Any], name: str) -> None:
    assert experiment_name(run(**changes)) == name


def test_params_are_written_as_in_params_yaml() -> None:
    settings = {"inner": {"steps": 5, "rates": [0.1, 0.2]}, "name": "é"}
    params = mlflow_run(run(settings=settings, first_order=None), [], result()).params
    shown = {name: params[name] for name in params if name.startswith(("settings", "first_order", "train.meta_lr"))}
    assert shown == {
        "first_order": "null",
        "train.meta_lr": "0.003",
        "settings.inner.steps": "5",
        "settings.inner.rates": "[0.1, 0.2]",
        "settings.name": "é",
    }


def test_a_cell_without_a_value_is_no_point_of_a_curve() -> None:
    first = HistoryRow.model_validate(finished_run.history()[0] | dict.fromkeys(HistoryRow.model_fields, 0))
    history = [first.model_dump(include={"iteration", "seconds", "validation_loss"})]
    points = [point for point in mlflow_run(run(), history, result()).points if point.step == 0]
    assert "validation_loss" in {point.name for point in points}
    assert not {"train_loss", "gradient_norm"} & {point.name for point in points}


def test_the_accuracy_comes_first_where_mlflow_picks_a_metric_for_its_charts() -> None:
    assert mlflow_run(run(), [], result()).points[0].name == "test_accuracy"


def test_the_note_has_the_wider_of_two_intervals() -> None:
    accuracy = result().accuracy
    none_wide = accuracy.model_copy(update={"ci95_by_character": (accuracy.mean, accuracy.mean)})
    low, high = accuracy.ci95
    assert f"{low:.2%} to {high:.2%}" in run_note(run(), result().model_copy(update={"accuracy": none_wide}))
