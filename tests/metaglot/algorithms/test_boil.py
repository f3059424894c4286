from itertools import islice

import pytest
import torch
from cases import Case
from oracles import distance, plain_tasks, slope

from metaglot.algorithms.boil import BOIL
from metaglot.algorithms.maml import MAML
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, create_network
from metaglot.core.nn.learn2learn_networks import module_parameters


def boil(case, head_lr):
    return BOIL(create_network(case.model), case.fast_lr, case.steps, settings=BOIL.Settings(head_lr=head_lr))


def by_hand(case, head_lr):
    """The mean query loss after plain gradient steps, in which the head has its own rate; and its gradient."""
    module, losses = case.module(), []
    start = module_parameters(module)
    rates = {name: head_lr if name.startswith("classifier") else case.fast_lr for name in start}
    for support_loss, query_loss in plain_tasks(case, module, case.batch()):
        weights = dict(start)
        for _ in range(case.steps):
            gradient = slope(support_loss, weights, create_graph=True)
            weights = {name: w - rates[name] * gradient[name] for name, w in weights.items()}
        losses.append(query_loss(weights))
    loss = torch.stack(losses).mean()
    return loss, dict(zip(start, torch.autograd.grad(loss, [*start.values()]), strict=True))


@pytest.mark.parametrize("head_lr", [0.0, 0.1])
@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("model", ["fc", "conv"])
def test_its_meta_gradient_is_that_of_plain_steps_on_the_body(model, steps, head_lr):
    case = Case(model, steps=steps)
    parameters = case.parameters()
    gradients, scores = boil(case, head_lr).meta_gradient(parameters, case.batch())
    loss, expected = by_hand(case, head_lr)
    assert scores.losses.mean().item() == pytest.approx(loss.item(), rel=1e-11)
    assert distance(dict(zip(parameters, gradients, strict=True)), expected) < 1e-11


def test_with_the_same_rate_for_the_head_it_is_maml_to_the_last_bit():
    case = Case(steps=2)
    parameters, batch = case.parameters(), case.batch()
    gradients, _ = boil(case, head_lr=case.fast_lr).meta_gradient(parameters, batch)
    expected, _ = MAML(create_network("fc"), case.fast_lr, case.steps).meta_gradient(parameters, batch)
    assert all(torch.equal(a, b) for a, b in zip(gradients, expected, strict=True))


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_by_default_all_but_the_head_adapts(model):
    case = Case(model)
    network, batch = create_network(model), case.batch()
    classifiers = BOIL(network, case.fast_lr, 1).adapt(case.parameters(), batch.support, batch.support_labels)
    before, after = (classifier.fast for classifier in islice(classifiers, 2))
    changed = {n for n in before if before[n].dense().shape != after[n].dense().shape}  # a task has its own then
    assert changed == {*network.names} - {HEAD, HEAD_BIAS}
