import dataclasses
import json

import numpy as np
import pytest
from scipy import stats

from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import TaskIndices, sample_tasks
from metaglot.evaluation.confidence_intervals import clustered_interval
from metaglot.evaluation.metrics import MEASURES
from metaglot.evaluation.result_record import ClusteredMean, Result
from metaglot.evaluation.scoring import EvaluationScores
from metaglot.evaluation.stage_configs import EvaluateStageConfig
from metaglot.evaluation.summarise_scores import make_result, score_arrays

TASK = TaskConfig(ways=3, shots=2, queries=4, rotations="class")
COUNT = 50
SPREAD = np.random.default_rng(1).random(7).astype(np.float32) / 10
LABELS = np.repeat(np.arange(3), 4)
OTHERS = ("worst_tenth", "inductive_worst_tenth", "calibration_error", "inductive_calibration_error")


def config() -> EvaluateStageConfig:
    return EvaluateStageConfig.model_validate({
        "algorithm": "maml", "label": "MAML (first_order=true)", "implementation": "metaglot.algorithms.maml:MAML",
        "first_order": True, "dataset": "glyphs (synthetic)", "model": "fc", "image_size": 28,
        "task": TASK.model_dump(), "split": {"kind": "random", "seed": 1}, "fast_lr": 0.5,
        "evaluate": {"tasks": COUNT, "adaptation_steps": 1, "seed": 0},
        "run": {"device": "cpu", "threads": 1, "task_chunk": "auto"}, "settings": {},
    })  # fmt: skip


def tasks(seed: int = 0) -> TaskIndices:
    return sample_tasks((StreamPurpose.TESTING, seed, 0), COUNT, 40, 20, TASK)


def scores() -> EvaluationScores:
    """Of answers of which about three in four are right."""
    random = np.random.default_rng(0)
    answers = np.where(random.random((COUNT, 12)) < 0.75, LABELS, random.integers(0, 3, (COUNT, 12)))
    accuracy = (answers == LABELS).mean(1)
    by_step = np.stack([accuracy - 0.5, accuracy, accuracy / 2], axis=1)
    losses = (3 * random.random((3, COUNT))).astype(np.float32)
    return EvaluationScores(
        measures={
            "accuracy": accuracy.astype(np.float32),
            "loss": losses[0],
            "inductive_accuracy": (accuracy / 2).astype(np.float32),
            "inductive_loss": losses[1],
            **dict.fromkeys(OTHERS, losses[2] / 2),
        },
        predictions=answers.astype(np.uint8),
        by_step_accuracy=by_step.astype(np.float32),
        by_step_loss=np.stack([losses[2], losses[0], losses[1]], axis=1),
    )


def record() -> dict:
    result = make_result(config(), 42, "ab" * 32, tasks(), scores(), SPREAD)
    return json.loads(json.dumps(result.model_dump(mode="json"), allow_nan=False))


def test_the_record_has_the_keys_that_other_tools_read():
    result = record()
    assert list(result) == [
        "algorithm", "label", "first_order", "dataset", "seed", "split_sha256", "tasks_sha256",
        "accuracy", "loss", "inductive", "writeup", "by_step", "task", "evaluate",
        "label_permutations", "parity", "sequences", "worst_tenth", "calibration_error",
    ]  # fmt: skip
    assert result["accuracy"].keys() == {"mean", "ci95", "std", "ci95_by_character"}
    assert result["loss"].keys() == {"mean", "ci95"}
    assert {"mean", "ci95", "ci95_by_character"} <= result["inductive"]["accuracy"].keys()
    assert result["inductive"]["loss"].keys() == {"mean", "ci95"}
    for name in ("worst_tenth", "calibration_error"):
        assert result[name].keys() == result["inductive"][name].keys() == result["accuracy"].keys()
    assert result["label_permutations"].keys() == {"tasks", "permutations", "accuracy_std"}


def test_the_record_says_what_was_scored_on_what():
    result = record()
    assert (result["algorithm"], result["label"], result["first_order"]) == ("maml", "MAML (first_order=true)", True)
    assert (result["dataset"], result["seed"], result["split_sha256"]) == ("glyphs (synthetic)", 42, "ab" * 32)
    assert result["task"] == TASK.model_dump()
    assert result["evaluate"] == {"tasks": COUNT, "adaptation_steps": 1, "seed": 0}
    assert result["tasks_sha256"] == tasks().sha256() != tasks(seed=1).sha256()


@pytest.mark.parametrize("mode", ["transductive", "inductive"])
def test_means_and_intervals_are_of_all_tasks(mode):
    given, result = scores(), record()
    result = result if mode == "transductive" else result["inductive"]
    prefix = "" if mode == "transductive" else "inductive_"
    for name in ("accuracy", "loss"):
        values = given.measures[prefix + name].astype(float)
        expected = stats.t.interval(0.95, COUNT - 1, loc=values.mean(), scale=stats.sem(values))
        assert result[name]["mean"] == pytest.approx(values.mean())
        assert result[name]["ci95"] == pytest.approx(expected)
    accuracy = given.measures[prefix + "accuracy"].astype(float)
    assert result["accuracy"]["std"] == pytest.approx(accuracy.std(ddof=1))
    by_character = clustered_interval(accuracy, tasks().characters)
    assert result["accuracy"]["ci95_by_character"] == pytest.approx(by_character)


def test_the_spread_over_label_permutations_is_of_the_first_tasks():
    result = record()["label_permutations"]
    assert (result["tasks"], result["permutations"]) == (7, 20)
    assert result["accuracy_std"]["mean"] == pytest.approx(SPREAD.mean())
    by_character = clustered_interval(SPREAD, tasks().characters[:7])
    assert result["accuracy_std"]["ci95_by_character"] == pytest.approx(by_character)


def test_every_measure_is_read_back_with_its_intervals():
    result = make_result(config(), 42, "ab" * 32, tasks(), scores())
    read = Result.model_validate_json(result.model_dump_json())
    for measure, metric in MEASURES.items():
        mean = read.mean_of(measure)
        assert mean == result.mean_of(measure) and isinstance(mean, ClusteredMean) == metric.is_clustered


def test_a_result_that_is_older_than_a_metric_has_no_mean_of_it():
    old = {key: value for key, value in record().items() if key not in ("worst_tenth", "label_permutations")}
    read = Result.model_validate_json(json.dumps(old))
    assert read.mean_of("worst_tenth") is None and read.label_permutations is None


def test_the_write_ups_protocol_is_the_first_32_tasks():
    given, result = scores(), record()["writeup"]
    expected = {name: given.measures[name][:32].mean() for name in ("accuracy", "loss")}
    assert result == pytest.approx(expected | {"tasks": 32})


def test_every_step_has_its_means():
    given, result = scores(), record()["by_step"]
    assert [row["step"] for row in result] == [0, 1, 2]
    assert [row["accuracy"] for row in result] == pytest.approx(given.by_step_accuracy.mean(0).tolist())
    assert [row["loss"] for row in result] == pytest.approx(given.by_step_loss.mean(0).tolist())
    assert result[1]["accuracy"] == record()["accuracy"]["mean"]


def test_the_scores_file_holds_every_task_in_the_documented_types():
    arrays = {name: (values.dtype.name, values.shape) for name, values in score_arrays(tasks(), scores()).items()}
    measures = ("accuracy", "loss", "inductive_accuracy", "inductive_loss", *OTHERS)
    assert arrays == dict.fromkeys(measures, ("float32", (COUNT,))) | {
        "characters": ("int16", (COUNT, 3)),
        "turns": ("uint8", (COUNT, 3)),
        "correct": ("uint8", (COUNT, 3)),
        "drawings": ("uint8", (12, 3, 6)),
        "predictions": ("uint8", (12, 3, 4)),
    }


@pytest.mark.parametrize("more", [0, 40_000])
def test_the_scores_file_says_what_the_tasks_were(more: int):
    drawn = dataclasses.replace(tasks(), characters=tasks().characters + more, drawings=tasks().drawings + more)
    arrays = score_arrays(drawn, scores())
    assert (arrays["characters"] == drawn.characters).all() and (arrays["turns"] == drawn.rotations).all()
    assert (arrays["drawings"] == drawn.drawings[:12]).all()


def test_right_answers_by_character_add_up_to_the_accuracy():
    arrays = score_arrays(tasks(), scores())
    np.testing.assert_allclose(arrays["correct"].sum(1) / 12, arrays["accuracy"], rtol=1e-6)
    pictured = (arrays["predictions"] == np.arange(3)[:, None]).sum(-1)
    assert (pictured == arrays["correct"][:12]).all()
    assert len({*arrays["correct"].ravel()}) > 2


def test_fewer_tasks_than_are_pictured_are_all_pictured():
    few = dataclasses.replace(scores(), predictions=scores().predictions[:5])
    arrays = score_arrays(tasks()[:5], few)
    assert len(arrays["drawings"]) == len(arrays["predictions"]) == 5
