import pytest
from cases import Case

from metaglot.algorithms.anil import ANIL
from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.meta_sgd import MetaSGD
from metaglot.algorithms.protonet import ProtoNet
from metaglot.core.nn.functional_networks import create_network
from metaglot.evaluation.evaluation_parity import compare_logits
from metaglot.evaluation.trained_network import TrainedNetwork

both = pytest.mark.parametrize("model", ["fc", "conv"])
CONV = {"hidden": 64, "tasks": 2}  # learn2learn's OmniglotCNN as it is


class OtherRate(MAML):
    """Its inner rate is a millionth too large."""

    def rates(self, parameters, step):
        return {name: 1.000001 * rate for name, rate in super().rates(parameters, step).items()}


def compare(algorithm, case: Case, steps: int):
    parameters, images = algorithm.initial_parameters(case.parameters(), case.images()), case.images()
    trained = TrainedNetwork(algorithm, parameters, images, case.shots, steps, case.tasks)
    return compare_logits(trained, case.model, case.evaluation_tasks())


def difference(kind, case: Case, steps: int) -> float:
    algorithm = kind(create_network(case.model), case.fast_lr, steps)
    return compare(algorithm, case, steps)["relative_difference"]


@both
@pytest.mark.parametrize("kind", [MAML, FOMAML, ANIL, MetaSGD])
def test_the_logits_of_what_learn2learn_has_are_its_logits(model, kind):
    for steps in (0, 1, 3):
        assert difference(kind, Case(model, **CONV, fast_lr=0.1), steps) < 1e-10


@both
def test_a_rate_that_is_a_millionth_too_large_shows(model):
    assert difference(OtherRate, Case(model, **CONV), 1) > 1e-8


def test_what_learn2learn_does_not_have_is_not_compared():
    case = Case()
    algorithm = ProtoNet(create_network("fc"), case.fast_lr, 1)
    assert compare(algorithm, case, 1) is None
