import torch
import torch.nn.functional as F
from cases import cases
from draws import examples
from hypothesis import given
from oracles import distance
from torch.func import functional_call

from metaglot.algorithms.maml_2017 import MAML2017
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters


@examples(15)
@given(cases(first_order=False, shots=3))
def test_its_meta_gradient_is_that_of_plain_steps_on_all_but_the_norms(case):
    algorithm, module, batch = (
        MAML2017(create_network(case.model), case.fast_lr, case.steps),
        case.module(),
        case.batch(),
    )
    initial = algorithm.initial_parameters(module_parameters(module), case.images())
    parameters = {name: value.detach().clone().requires_grad_() for name, value in initial.items()}
    norms = {name for name in parameters if "normalize" in name}
    scales = {name for name in norms if name.endswith("weight")}
    assert len(scales) == 4 and all(bool((parameters[name] == 1).all()) for name in scales)
    losses = []
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        own = dict(parameters)
        for _ in range(case.steps):
            loss = F.cross_entropy(functional_call(module, own, support[:, None]), labels)
            adapting = [name for name in own if name not in norms]
            slopes = torch.autograd.grad(loss, [own[name] for name in adapting], create_graph=True)
            own |= {name: own[name] - case.fast_lr * slope for name, slope in zip(adapting, slopes, strict=True)}
        losses.append(F.cross_entropy(functional_call(module, own, query[:, None]), query_labels))
    slopes = torch.autograd.grad(torch.stack(losses).mean(), [*parameters.values()])
    expected = {name: s * (name not in scales) for name, s in zip(parameters, slopes, strict=True)}
    actual, outcome = algorithm.meta_gradient(parameters, batch)
    torch.testing.assert_close(outcome.losses, torch.stack(losses).detach())
    assert distance(dict(zip(parameters, actual, strict=True)), expected) < 1e-10
