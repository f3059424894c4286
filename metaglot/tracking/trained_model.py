"""The network that a training left: where it lies, what it is registered as, and how it did in validation."""

import re
from dataclasses import dataclass
from pathlib import Path

from metaglot.core.common.run_records import RunRecord


@dataclass(frozen=True)
class TrainedModel:
    """The network of a run, in the folder that the predictor reads, and the name that it is registered under.

    validation_accuracy: of the weights in the folder; None if they were never validated.
    """

    registered_name: str
    algorithm: str
    folder: Path
    weights_sha256: str
    seed: int
    validation_accuracy: float | None


def trained_model(
    run: RunRecord, history: list[dict[str, float]], experiment: str, folder: Path, weights_sha256: str
) -> TrainedModel:
    """experiment: the name of MLflow's experiment, which says the task."""
    name = re.sub(r"[^\w.]+", "-", f"metaglot-{run.algorithm}-{experiment}").strip("-")
    return TrainedModel(name, run.algorithm, folder, weights_sha256, run.seed, validation_accuracy(run, history))


def validation_accuracy(run: RunRecord, history: list[dict[str, float]]) -> float | None:
    """The validation accuracy of the saved weights: the last in the history or, with early stopping, the best."""
    accuracies = [row["validation_accuracy"] for row in history if "validation_accuracy" in row]
    stops_early = "patience" in (run.config.model_dump().get("settings") or {})
    return max(accuracies[-1:] if not stops_early else accuracies, default=None)
