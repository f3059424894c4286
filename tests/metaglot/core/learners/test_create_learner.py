from typing import Any

import pytest
from error_lines import error_line
from params_file import changed, text

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.registry import ALGORITHMS
from metaglot.algorithms.reptile import Reptile
from metaglot.config.parse_params import parse_params
from metaglot.config.resolve import import_classes, resolve
from metaglot.core.common.stage_configs import TrainStageConfig
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.nn.functional_networks import create_network


def configs(changes: dict[str, Any]) -> dict[str, Any]:
    """What `configure` writes, by file."""
    classes = import_classes(ALGORITHMS)
    return resolve(parse_params(text(changed(changes)), classes), classes)


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize(
    ("name", "setting", "kind", "first_order"),
    [("maml", False, MAML, False), ("maml", True, MAML, True), ("fomaml", False, FOMAML, True)],
)
def test_a_config_of_configure_becomes_the_algorithm_it_names(model, name, setting, kind, first_order):
    files = configs({"first_order": setting, "model": model})
    for stage in ("train", "evaluate"):
        algorithm = create_learner(files[f"{name}/{stage}.yaml"], fast_lr=0.25, adaptation_steps=3)
        assert type(algorithm) is kind and algorithm.first_order is first_order
        assert (algorithm.network, algorithm.fast_lr, algorithm.adaptation_steps) == (create_network(model), 0.25, 3)


def reptile_config(**settings: int) -> TrainStageConfig:
    own = {f"settings.reptile.{key}": value for key, value in settings.items()}
    return configs({"algorithms": ["reptile"]} | own)["reptile/train.yaml"]


def test_an_algorithm_gets_its_settings_and_the_defaults_of_the_others():
    algorithm = create_learner(reptile_config(minibatch=7), fast_lr=0.25, adaptation_steps=3)
    assert algorithm.settings == Reptile.Settings(minibatch=7)
    assert Reptile(create_network("fc"), 0.25, 3).settings == Reptile.Settings()


def test_settings_of_another_version_are_a_one_line_error():
    config = reptile_config().model_copy(update={"settings": {"minibatches": 7}})
    line = error_line(lambda: create_learner(config, fast_lr=0.25, adaptation_steps=3))
    assert line.startswith("the config of reptile: settings.minibatches: ")
    assert "; run `python -m stages.configure`" in line
