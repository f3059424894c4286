"""From a stage's config to the algorithm it names."""

from importlib import import_module

from metaglot.core.common.stage_configs import EvaluateConfig, TrainConfig
from metaglot.core.learners.meta_learner import Algorithm
from metaglot.core.nn.functional_networks import network


def implementation(config: TrainConfig | EvaluateConfig, fast_lr: float, adaptation_steps: int) -> Algorithm:
    """The algorithm at `config.implementation`: `module:Class`, which `configure` takes from its table."""
    module, name = config.implementation.split(":")
    kind = getattr(import_module(module), name)
    made: Algorithm = kind(network(config.model), fast_lr, adaptation_steps, config.first_order, **config.settings)
    return made
