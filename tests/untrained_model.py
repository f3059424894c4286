"""A run's folder as training and evaluation leave it, with the network's initial weights: made in no time."""

from pathlib import Path
from typing import Any

import finished_run

from metaglot.core.common.atomic_files import sha256, write_json
from metaglot.core.common.weights_file import write_weights
from metaglot.core.nn.initial_weights import initial_weights, module_state
from stages.support import paths


def write(algorithm: str = "maml", seed: int = 42, image_size: int = 28, **changes: Any) -> Path:
    """Write finished_run's files into the working directory, and weights; returns the run's folder."""
    finished_run.write(algorithm, seed, image_size=image_size, **changes)
    weights = paths.weights(algorithm, seed)
    write_weights(weights, module_state(initial_weights("fc", 5, image_size, seed)))
    steps = {"adaptation_steps": 1, "weights_sha256": sha256(weights)}
    write_json(paths.adaptation(algorithm, seed), steps)
    return paths.model(algorithm, seed)
