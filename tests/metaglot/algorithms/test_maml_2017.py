import torch
from cases import cases
from draws import examples
from hypothesis import given
from oracles import distance, gradient_of, losses_after_steps, meta_gradient, slope

from metaglot.algorithms.maml_2017 import MAML2017
from metaglot.core.nn.functional_networks import create_network


@examples(15)
@given(cases(first_order=False, shots=3))
def test_its_meta_gradient_is_that_of_plain_steps_on_all_but_the_norms(case):
    algorithm = MAML2017(create_network(case.model), case.fast_lr, case.steps)
    initial = algorithm.initial_parameters(case.parameters(), case.images())
    parameters = {name: value.detach().clone().requires_grad_() for name, value in initial.items()}
    norms = {name for name in parameters if "normalize" in name}
    scales = {name for name in norms if name.endswith("weight")}
    assert len(scales) == 4 and all(bool((parameters[name] == 1).all()) for name in scales)

    def take_step(step, weights, support_loss):
        gradient = slope(support_loss, weights, create_graph=True)
        return {name: w if name in norms else w - case.fast_lr * gradient[name] for name, w in weights.items()}

    losses = losses_after_steps(case, parameters, take_step)
    expected = {name: g * (name not in scales) for name, g in gradient_of(losses.mean(), parameters).items()}
    actual, outcome = meta_gradient(algorithm, parameters, case.batch())
    torch.testing.assert_close(outcome.losses, losses.detach())
    assert distance(actual, expected) < 1e-10
