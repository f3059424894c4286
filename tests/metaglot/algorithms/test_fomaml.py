import copy

import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import distance

from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_its_meta_gradient_is_the_query_losss_at_the_adapted_weights(model, steps):
    """By definition (Finn et al. 2017, section 5.2), with plain modules and plain SGD."""
    case = Case(model, first_order=True, steps=steps)
    sums = {name: torch.zeros_like(value) for name, value in case.parameters().items()}
    batch = case.batch()
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        module = copy.deepcopy(case.module())
        sgd = torch.optim.SGD(module.parameters(), lr=case.fast_lr)
        for _ in range(steps):
            sgd.zero_grad()
            F.cross_entropy(module(support[:, None]), labels).backward()
            sgd.step()
        sgd.zero_grad()
        F.cross_entropy(module(query[:, None]), query_labels).backward()
        for name, parameter in module_parameters(module).items():
            sums[name] += parameter.grad / case.tasks
    parameters = case.parameters()
    actual, _ = FOMAML(create_network(model), case.fast_lr, steps).meta_gradient(parameters, batch)
    assert distance(dict(zip(parameters, actual, strict=True)), sums) < 1e-11


def test_maml_in_first_order_is_fomaml_to_the_last_bit():
    case = Case(steps=2)
    parameters, batch = case.parameters(), case.batch()
    fomaml, _ = FOMAML(create_network("fc"), 0.4, 2).meta_gradient(parameters, batch)
    maml, _ = MAML(create_network("fc"), 0.4, 2, first_order=True).meta_gradient(parameters, batch)
    assert all(torch.equal(a, b) for a, b in zip(fomaml, maml, strict=True))


def test_it_is_first_order_whatever_is_asked():
    assert FOMAML(create_network("fc"), 0.4, 1, first_order=False).first_order is True
    assert MAML(create_network("fc"), 0.4, 1).first_order is False
    assert MAML(create_network("fc"), 0.4, 1, first_order=True).first_order is True
