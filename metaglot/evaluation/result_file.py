"""What a test says: the record of one network's scores, and the scores themselves for pairing."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.evaluation.scoring import EvaluationScores
from metaglot.evaluation.stage_configs import EvaluateStageConfig

WRITEUP_TASKS = 32  # the write-up's protocol: the first so many tasks
PICTURED_TASKS = 12  # whose answers are kept for the report's gallery

Values = NDArray[np.float32]


def result(
    config: EvaluateStageConfig, seed: int, split_sha256: str, tasks: TaskIndices, scores: EvaluationScores
) -> dict[str, Any]:
    """The record: fractions of one, intervals as [low, high] at 95%."""
    first = slice(WRITEUP_TASKS)
    return {
        **config.model_dump(include={"algorithm", "label", "first_order", "dataset"}),
        "seed": seed,
        "split_sha256": split_sha256,
        "tasks_sha256": tasks.sha256(),
        "accuracy": _accuracy(scores.accuracy, tasks),
        "loss": _loss(scores.loss),
        "inductive": {
            "accuracy": _accuracy(scores.inductive_accuracy, tasks),
            "loss": _loss(scores.inductive_loss),
        },
        "writeup": {
            "accuracy": _mean(scores.accuracy[first]),
            "loss": _mean(scores.loss[first]),
            "tasks": len(tasks[first]),
        },
        "by_step": [
            {"step": step, "accuracy": _mean(accuracy), "loss": _mean(loss)}
            for step, (accuracy, loss) in enumerate(zip(scores.by_step_accuracy.T, scores.by_step_loss.T, strict=True))
        ],
        **config.model_dump(include={"task", "evaluate"}),
    }


def arrays(tasks: TaskIndices, scores: EvaluationScores) -> dict[str, NDArray[Any]]:
    """What the scores file holds: every task's scores, its characters, and the first few tasks' answers."""
    count, ways = tasks.characters.shape
    answers = scores.predictions.reshape(count, ways, -1)
    pictured = slice(PICTURED_TASKS)
    return {
        "accuracy": scores.accuracy,
        "loss": scores.loss,
        "inductive_accuracy": scores.inductive_accuracy,
        "inductive_loss": scores.inductive_loss,
        "characters": tasks.characters.astype(np.int16),
        "turns": tasks.turns.astype(np.uint8),
        "correct": (answers == np.arange(ways)[:, None]).sum(-1).astype(np.uint8),
        "drawings": tasks.drawings[pictured].astype(np.uint8),
        "predictions": answers[pictured],
    }


def _mean(values: Values) -> float:
    return float(values.mean(dtype=np.float64))


def _loss(values: Values) -> dict[str, Any]:
    return {"mean": _mean(values), "ci95": list(t_interval(values))}


def _accuracy(values: Values, tasks: TaskIndices) -> dict[str, Any]:
    by_character = list(clustered_interval(values, tasks.characters))
    return _loss(values) | {
        "std": float(values.std(ddof=1, dtype=np.float64)),
        "ci95_by_character": by_character,
    }
