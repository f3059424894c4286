import pytest
import torch
from cases import Case
from oracles import distance, gradient_of, losses_after_steps, meta_gradient, slope

from metaglot.algorithms.boil import BOIL
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, create_network


@pytest.mark.parametrize("head_lr", [0.0, 0.1, 0.4])
@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_its_meta_gradient_is_that_of_plain_steps_in_which_the_head_has_its_own_rate(model, steps, head_lr):
    case = Case(model, steps=steps)

    def take_step(step, weights, support_loss):
        gradient = slope(support_loss, weights, create_graph=True)
        rates = {name: head_lr if name.startswith("classifier") else case.fast_lr for name in weights}
        return {name: w - rates[name] * gradient[name] for name, w in weights.items()}

    parameters = case.parameters()
    losses = losses_after_steps(case, parameters, take_step)
    algorithm = BOIL(create_network(model), case.fast_lr, steps, settings=BOIL.Settings(head_lr=head_lr))
    actual, scores = meta_gradient(algorithm, parameters, case.batch())
    torch.testing.assert_close(scores.losses, losses.detach(), rtol=1e-11, atol=0)
    assert distance(actual, gradient_of(losses.mean(), parameters)) < 1e-11


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_by_default_all_but_the_head_adapts(model):
    network = create_network(model)
    assert {*BOIL(network, 0.4, 1).rates({}, 0)} == {*network.names} - {HEAD, HEAD_BIAS}
