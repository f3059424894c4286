"""From a stage's config to the algorithm it names."""

from importlib import import_module

from metaglot.core.common.stage_configs import EvaluateStageConfig, TrainStageConfig
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network


def create_learner(
    config: TrainStageConfig | EvaluateStageConfig, fast_lr: float, adaptation_steps: int
) -> MetaLearner:
    """The algorithm at `config.implementation`: `module:Class`, which `configure` takes from its table."""
    module, name = config.implementation.split(":")
    kind = getattr(import_module(module), name)
    made: MetaLearner = kind(
        create_network(config.model), fast_lr, adaptation_steps, config.first_order, **config.settings
    )
    return made
