"""Load the folder of a trained run: the meta-learner, its parameters and its number of adaptation steps.

Nothing outside the folder is read, so a copy of it gives the same answers anywhere.
"""

from pathlib import Path
from typing import NamedTuple

import torch
from pydantic import ValidationError

from metaglot.core.common.atomic_files import read_json, sha256
from metaglot.core.common.errors import UserError, malformed
from metaglot.core.common.run_records import AdaptationRecord, read_record
from metaglot.core.common.stage_configs import TrainStageConfig
from metaglot.core.common.weights_file import read_weights
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters


class TrainedRun(NamedTuple):
    config: TrainStageConfig
    learner: MetaLearner
    parameters: MetaParameters
    adaptation_steps: int  # of its test; before a test, the algorithm's default, or else those of training


def load_run(folder: Path) -> TrainedRun:
    """Read run.json, weights.safetensors and, once the run was tested, adaptation.json.

    Raises UserError if a file is missing, damaged or belongs to another run.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder} is a file; pass the run's folder, such as data/models/maml-42")
    config = _read_config(folder / "run.json")
    try:
        learner = create_learner(config, config.train.fast_lr, config.train.adaptation_steps)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{folder / 'run.json'}: {config.implementation} does not exist here ({error})") from None
    weights = folder / "weights.safetensors"
    parameters = read_weights(weights, learner.names, config.task.ways)
    _check_fit(weights, config, learner, parameters)
    return TrainedRun(config, learner, parameters, _adaptation_steps(folder, weights, learner))


def _read_config(run_record: Path) -> TrainStageConfig:
    """The training's config. It may name only algorithms of this package, because its class is imported."""
    content = read_json(run_record)
    try:
        config = TrainStageConfig.model_validate({k: v for k, v in content["config"].items() if k != "seed"})
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"{run_record} has no `config`, so the trained network is unknown") from None
    except ValidationError as mistakes:
        raise malformed(run_record, mistakes, "another version wrote it: train again", "config") from None
    if config.implementation.split(":")[0] != f"metaglot.algorithms.{config.algorithm}":
        raise UserError(f"{run_record}: config.implementation: {config.implementation} is not in metaglot.algorithms")
    return config


def _adaptation_steps(folder: Path, weights: Path, learner: MetaLearner) -> int:
    """The steps of the test, which `evaluate` recorded in adaptation.json, unless that was a test of other weights."""
    record = folder / "adaptation.json"
    if record.exists():
        tested = read_record(AdaptationRecord, record)
        if tested.weights_sha256 == sha256(weights):
            return tested.adaptation_steps
    default = learner.Settings().test_adaptation_steps
    return learner.adaptation_steps if default is None else default


@torch.no_grad()
def _check_fit(weights: Path, config: TrainStageConfig, learner: MetaLearner, parameters: MetaParameters) -> None:
    """Refuse weights with the right names for another network, such as one for larger images."""
    size = config.image_size
    try:
        channels = (config.channels,) if config.channels > 1 else ()
        learner.network(learner.network.fast(parameters), torch.zeros(1, 1, size, size, *channels))
    except (RuntimeError, AssertionError):
        expected = f"{config.model} network for images of {size}x{size} that run.json describes"
        raise UserError(f"{weights} does not fit the {expected}: the two files are of different runs") from None
