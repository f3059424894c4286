import copy

import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import distance, gradients_of, meta_gradient

from metaglot.algorithms.fomaml import FOMAML
from metaglot.core.nn.functional_networks import create_network


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
        for name, gradient in gradients_of(module).items():
            sums[name] += gradient / case.tasks
    algorithm = FOMAML(create_network(model), case.fast_lr, steps, first_order=False)  # which it does not take
    actual, _ = meta_gradient(algorithm, case.parameters(), batch)
    assert distance(actual, sums) < 1e-11
