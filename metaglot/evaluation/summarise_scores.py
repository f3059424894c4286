"""From the scores of all test tasks to the result of the test, and to the scores file for paired comparisons."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from metaglot.core.common.run_records import Parity
from metaglot.core.tasks.task_sampler import TaskIndices
from metaglot.evaluation.confidence_intervals import clustered_interval, t_interval
from metaglot.evaluation.integer_arrays import smallest_integers
from metaglot.evaluation.label_permutations import PERMUTATIONS
from metaglot.evaluation.metrics import INDUCTIVE, MEASURES, METRICS, Metric
from metaglot.evaluation.result_record import (
    ClusteredMean,
    InductiveScores,
    LabelPermutations,
    Mean,
    OriginalProtocol,
    Result,
    StepScores,
)
from metaglot.evaluation.scoring import EvaluationScores
from metaglot.evaluation.stage_configs import EvaluateStageConfig

ORIGINAL_STUDY_TASKS = 32  # its protocol: the first so many tasks
PICTURED_TASKS = 12  # whose predictions are kept for the report's gallery

Values = NDArray[np.float32]


def make_result(
    config: EvaluateStageConfig,
    seed: int,
    split_sha256: str,
    tasks: TaskIndices,
    scores: EvaluationScores,
    spread: Values | None = None,
    parity: dict[str, Any] | None = None,
) -> Result:
    """spread: of the accuracy on the first tasks when their labels are permuted. parity: with learn2learn's logits."""
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
        label_permutations=None if spread is None else _label_permutations(spread, tasks),
        parity=None if parity is None else Parity(**parity),
    )


def score_arrays(tasks: TaskIndices, scores: EvaluationScores) -> dict[str, NDArray[Any]]:
    """What the scores file holds: each task's scores, its characters, and the first few tasks' predictions."""
    count, ways = tasks.characters.shape
    predictions = scores.predictions.reshape(count, ways, -1)
    pictured = slice(PICTURED_TASKS)
    return {
        **scores.measures,
        "characters": smallest_integers(tasks.characters, np.int16),
        "turns": tasks.rotations.astype(np.uint8),
        "correct": (predictions == np.arange(ways)[:, None]).sum(-1).astype(np.uint8),
        "drawings": smallest_integers(tasks.drawings[pictured], np.uint8),
        "predictions": predictions[pictured],
    }


def _mean_of(metric: Metric, values: Values, tasks: TaskIndices) -> Mean:
    return _clustered(values, tasks) if metric.is_clustered else Mean(mean=_mean(values), ci95=t_interval(values))


def _label_permutations(spread: Values, tasks: TaskIndices) -> LabelPermutations:
    permuted = tasks[: len(spread)]
    return LabelPermutations(tasks=len(spread), permutations=PERMUTATIONS, accuracy_std=_clustered(spread, permuted))


def _clustered(values: Values, tasks: TaskIndices) -> ClusteredMean:
    """The mean of numbers whose mean is a fraction; rounding may put it just outside."""
    return ClusteredMean(
        mean=min(max(_mean(values), 0.0), 1.0),
        ci95=t_interval(values),
        std=float(values.std(ddof=1, dtype=np.float64)),
        ci95_by_character=clustered_interval(values, tasks.characters),
    )


def _mean(values: Values) -> float:
    return float(values.mean(dtype=np.float64))
