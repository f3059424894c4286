"""The folder that a training leaves, read back: the algorithm, what it learned, and how it is meant to be used."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from pydantic import ValidationError

from metaglot.core.common.atomic_files import read_json
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TrainStageConfig
from metaglot.core.common.weights_file import read_weights
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters


class TrainedRun(NamedTuple):
    config: TrainStageConfig
    algorithm: MetaLearner
    learned: MetaParameters
    steps: int  # of adaptation: those of its test where that is known, else those of its training


def load_run(folder: Path) -> TrainedRun:
    """Read weights.safetensors and run.json; raises UserError where one is missing, damaged or not of the other.

    The test's number of adaptation steps is in the run's result, which lies in its place beside the models
    (`data/results/maml-42.json` for `data/models/maml-42`) or is not there.
    """
    config = _config(folder / "run.json")
    steps = _test_steps(folder.resolve(), config)
    try:
        algorithm = create_learner(config, config.train.fast_lr, steps)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{folder / 'run.json'}: there is no {config.implementation} here ({error})") from None
    weights = folder / "weights.safetensors"
    learned = read_weights(weights, algorithm.names, config.task.ways)
    _check_fit(weights, config, algorithm, learned)
    return TrainedRun(config, algorithm, learned, steps)


def _config(record: Path) -> TrainStageConfig:
    """What the training was asked; only an algorithm of ours is imported by it."""
    asked = read_json(record)
    try:
        config = TrainStageConfig.model_validate({k: v for k, v in asked["config"].items() if k != "seed"})
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{record} does not say what was trained: it has no `config`") from None
    except ValidationError as mistakes:
        first = mistakes.errors()[0]
        key = ".".join(map(str, ("config", *first["loc"])))
        raise UserError(f"{record}: {key}: {first['msg']}; it is of another version: train it again") from None
    if config.implementation.split(":")[0] != f"metaglot.algorithms.{config.algorithm}":
        raise UserError(f"{record}: config.implementation: {config.implementation} is not in metaglot.algorithms")
    return config


def _test_steps(folder: Path, config: TrainStageConfig) -> int:
    result = folder.parents[1] / "results" / f"{folder.name}.json"
    if not result.exists():
        return config.train.adaptation_steps
    found: Any = read_json(result)
    try:
        return int(found["evaluate"]["adaptation_steps"])
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{result} does not say in how many steps the test adapted: evaluate it again") from None


@torch.no_grad()
def _check_fit(weights: Path, config: TrainStageConfig, algorithm: MetaLearner, learned: MetaParameters) -> None:
    """Refuse weights of the right names for another network, such as one for larger images."""
    side = config.image_size
    try:
        algorithm.network(algorithm.network.fast(learned), torch.zeros(1, 1, side, side))
    except (RuntimeError, AssertionError):
        asked = f"{config.model} network for images of {side}x{side} that run.json describes"
        raise UserError(f"{weights} does not fit the {asked}: the two are of different trainings") from None
