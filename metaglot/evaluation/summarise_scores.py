"""From the scores of all test tasks to the result of the test, and to the scores file for paired comparisons."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.evaluation.metrics import INDUCTIVE, MEASURES, METRICS, Metric
from metaglot.evaluation.result_record import ClusteredMean, InductiveScores, Mean, OriginalProtocol, Result, StepScores
from metaglot.evaluation.scoring import EvaluationScores
from metaglot.evaluation.stage_configs import EvaluateStageConfig

ORIGINAL_STUDY_TASKS = 32  # its protocol: the first so many tasks
PICTURED_TASKS = 12  # whose predictions are kept for the report's gallery

Values = NDArray[np.float32]


def make_result(
    config: EvaluateStageConfig, seed: int, split_sha256: str, tasks: TaskIndices, scores: EvaluationScores
) -> Result:
    means: dict[str, Any] = {key: _mean_of(metric, scores.measures[key], tasks) for key, metric in MEASURES.items()}
    first = slice(ORIGINAL_STUDY_TASKS)
    by_step = enumerate(zip(scores.by_step_accuracy.T, scores.by_step_loss.T, strict=True))
    return Result(
        **config.model_dump(include={"algorithm", "label", "first_order", "dataset"}),
        seed=seed,
        split_sha256=split_sha256,
        tasks_sha256=tasks.sha256(),
        **{metric.name: means[metric.name] for metric in METRICS},
        inductive=InductiveScores(**{metric.name: means[INDUCTIVE + metric.name] for metric in METRICS}),
        writeup=OriginalProtocol(
            accuracy=_mean(scores.measures["accuracy"][first]),
            loss=_mean(scores.measures["loss"][first]),
            tasks=len(tasks[first]),
        ),
        by_step=[
            StepScores(step=step, accuracy=_mean(accuracy), loss=_mean(loss)) for step, (accuracy, loss) in by_step
        ],
        task=config.task,
        evaluate=config.evaluate,
    )


def score_arrays(tasks: TaskIndices, scores: EvaluationScores) -> dict[str, NDArray[Any]]:
    """What the scores file holds: each task's scores, its characters, and the first few tasks' predictions."""
    count, ways = tasks.characters.shape
    predictions = scores.predictions.reshape(count, ways, -1)
    pictured = slice(PICTURED_TASKS)
    return {
        **scores.measures,
        "characters": tasks.characters.astype(np.int16),
        "turns": tasks.rotations.astype(np.uint8),
        "correct": (predictions == np.arange(ways)[:, None]).sum(-1).astype(np.uint8),
        "drawings": tasks.drawings[pictured].astype(np.uint8),
        "predictions": predictions[pictured],
    }


def _mean_of(metric: Metric, values: Values, tasks: TaskIndices) -> Mean:
    mean, interval = _mean(values), t_interval(values)
    if not metric.is_clustered:
        return Mean(mean=mean, ci95=interval)
    std = float(values.std(ddof=1, dtype=np.float64))
    by_character = clustered_interval(values, tasks.characters)
    return ClusteredMean(mean=mean, ci95=interval, std=std, ci95_by_character=by_character)


def _mean(values: Values) -> float:
    return float(values.mean(dtype=np.float64))
