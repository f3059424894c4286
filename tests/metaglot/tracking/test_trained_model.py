"""The name of a registered model, and the validation accuracy by which a champion is chosen."""

from pathlib import Path
from typing import Any

import finished_run
import pytest

from metaglot.core.common.run_records import RunRecord
from metaglot.tracking.trained_model import TrainedModel, trained_model

HISTORY = [
    {"iteration": n, "seconds": n, "validation_accuracy": accuracy} for n, accuracy in enumerate((0.5, 0.9, 0.8))
]


def of(experiment: str = "task", history: list[dict[str, float]] = HISTORY, **config: Any) -> TrainedModel:
    run = RunRecord(**finished_run.run_record("maml", 42, **config))
    return trained_model(run, history, experiment, Path("folder"), "digest")


@pytest.mark.parametrize(
    ("experiment", "name"),
    [
        ("omniglot-5way-5shot-fc", "metaglot-maml-omniglot-5way-5shot-fc"),
        (
            "glyphs (synthetic)-5way-1shot-conv-rotations-none",
            "metaglot-maml-glyphs-synthetic-5way-1shot-conv-rotations-none",
        ),
    ],
)
def test_a_registered_model_is_named_after_its_algorithm_and_task(experiment: str, name: str) -> None:
    assert of(experiment).registered_name == name


def test_the_validation_accuracy_is_that_of_the_saved_weights() -> None:
    assert of().validation_accuracy == 0.8
    assert of(settings={"patience": 5}).validation_accuracy == 0.9
    assert of(history=[]).validation_accuracy is None
