"""The meta-learner that a stage's config names."""

from pkgutil import resolve_name
from typing import Any, Protocol

from pydantic import ValidationError

from metaglot.core.common.errors import malformed
from metaglot.core.common.stage_configs import Model
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network


class LearnerConfig(Protocol):
    """What train.yaml and evaluate.yaml say of an algorithm."""

    @property
    def algorithm(self) -> str: ...
    @property
    def implementation(self) -> str: ...
    @property
    def model(self) -> Model: ...
    @property
    def first_order(self) -> bool | None: ...
    @property
    def settings(self) -> dict[str, Any]: ...


def create_learner(config: LearnerConfig, fast_lr: float, adaptation_steps: int) -> MetaLearner:
    """The algorithm at `config.implementation`: `module:Class`, which `configure` takes from the registry."""
    kind: type[MetaLearner] = resolve_name(config.implementation)
    try:
        settings = kind.Settings.model_validate(config.settings)
    except ValidationError as mistakes:
        remedy = "run `python -m stages.configure` and train again"
        raise malformed(f"the config of {config.algorithm}", mistakes, remedy, "settings") from None
    return kind(create_network(config.model), fast_lr, adaptation_steps, config.first_order, settings)
