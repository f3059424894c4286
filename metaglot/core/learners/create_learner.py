"""The meta-learner that a stage's config names."""

from importlib import import_module

from pydantic import ValidationError

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import EvaluateStageConfig, TrainStageConfig
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network


def create_learner(
    config: TrainStageConfig | EvaluateStageConfig, fast_lr: float, adaptation_steps: int
) -> MetaLearner:
    """The algorithm at `config.implementation`: `module:Class`, which `configure` takes from the registry."""
    module, name = config.implementation.split(":")
    kind: type[MetaLearner] = getattr(import_module(module), name)
    try:
        settings = kind.Settings.model_validate(config.settings)
    except ValidationError as errors:
        first = errors.errors()[0]
        key = ".".join(map(str, ("settings", config.algorithm, *first["loc"])))
        raise UserError(f"{key}: {first['msg']}; run `python -m stages.configure` and train again") from None
    return kind(create_network(config.model), fast_lr, adaptation_steps, config.first_order, settings)
