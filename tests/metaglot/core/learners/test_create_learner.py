import pytest
from params_file import ASGIVEN, changed, text

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.registry import ALGORITHMS
from metaglot.config.params import parse_params
from metaglot.config.resolve import import_classes, resolve
from metaglot.core.learners.create_learner import create_learner
from metaglot.core.nn.functional_networks import create_network


@pytest.mark.parametrize("model", ["fc", "conv"])
@pytest.mark.parametrize(
    ("name", "asked", "kind", "first_order"),
    [("maml", False, MAML, False), ("maml", True, MAML, True), ("fomaml", False, FOMAML, True)],
)
def test_a_config_of_configure_becomes_the_algorithm_it_names(model, name, asked, kind, first_order):
    classes = import_classes(ALGORITHMS)
    params = parse_params(text(changed({"first_order": asked, "model": model}, ASGIVEN)), classes)
    files = resolve(params, classes)
    for stage in ("train", "evaluate"):
        made = create_learner(files[f"{name}/{stage}.yaml"], fast_lr=0.25, adaptation_steps=3)
        assert type(made) is kind and made.first_order is first_order
        assert (made.network, made.fast_lr, made.adaptation_steps) == (create_network(model), 0.25, 3)
