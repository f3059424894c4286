from itertools import islice

import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import distance, gradient_of, losses_after_steps, slope
from torch import Tensor, nn

from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.inner_loop import InnerRates, inner_loop, task_losses
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, create_network
from metaglot.core.nn.learn2learn_networks import module_parameters

both = pytest.mark.parametrize("model", ["fc", "conv"])
orders = pytest.mark.parametrize("second_order", [True, False])


def query_loss(case: Case, parameters: dict[str, Tensor], rates: InnerRates, second_order: bool) -> Tensor:
    """The mean over tasks, after the case's steps with these rates."""
    net, batch = create_network(case.model), case.batch()
    reached = inner_loop(net, net.fast(parameters), lambda _: rates, batch.support, batch.support_labels, second_order)
    return task_losses(net(next(islice(reached, case.steps, None)), batch.query), batch.query_labels).mean()


def random_rates(case: Case) -> dict[str, Tensor]:
    """A rate for each weight."""
    random = torch.Generator().manual_seed(1)
    rates = {name: torch.rand(w.shape, dtype=torch.double, generator=random) for name, w in case.parameters().items()}
    return {name: (0.2 * rate).requires_grad_() for name, rate in rates.items()}


def meta_sgds_loss(case: Case, rates: dict[str, Tensor], second_order: bool) -> Tensor:
    """The same by learn2learn's MetaSGD with these rates."""
    learner = l2l.algorithms.MetaSGD(case.module(), lrs=nn.ParameterList([*rates.values()]))
    losses = []
    for support, labels, query, query_labels in zip(*case.batch().parts(), strict=True):
        adapted = learner.clone()
        for _ in range(case.steps):
            adapted.adapt(F.cross_entropy(adapted(support[:, None]), labels), first_order=not second_order)
        losses.append(F.cross_entropy(adapted(query[:, None]), query_labels))
    return torch.stack(losses).mean()


@both
@orders
@pytest.mark.parametrize("count", [1, 3])
def test_every_weight_may_have_its_own_learnable_rate(model, second_order, count):
    case, names = Case(model, steps=count, tasks=2), create_network(model).names
    parameters, rates = case.parameters(), {name: random_rates(case)[name] for name in names}

    def take_step(step, weights, support_loss):
        gradient = slope(support_loss, weights, create_graph=second_order)
        return weights | {name: weights[name] - rates[name] * gradient[name] for name in names}

    loss = query_loss(case, parameters, rates, second_order)
    expected = losses_after_steps(case, parameters, take_step).mean()
    torch.testing.assert_close(loss, expected)
    for values in ({name: parameters[name] for name in names}, rates):
        assert (
            distance(gradient_of(loss, values, create_graph=True), gradient_of(expected, values, create_graph=True))
            < 1e-11
        )


@orders
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # learn2learn looks at .grad of what is no leaf
def test_rates_of_every_weight_are_those_of_learn2learns_meta_sgd(second_order):
    case = Case(steps=2, tasks=2)
    rates, names = random_rates(case), create_network("fc").names
    adapting = {name: rates[name] for name in names}
    gradient = gradient_of(query_loss(case, case.parameters(), adapting, second_order), adapting)
    theirs = {name: nn.Parameter(rate.detach()) for name, rate in rates.items()}
    expected = gradient_of(meta_sgds_loss(case, theirs, second_order), {name: theirs[name] for name in names})
    assert distance(gradient, expected) < 1e-11


@both
def test_a_rate_may_be_a_function_that_gives_the_step_to_subtract(model):
    case = Case(model, steps=2)
    parameters, names = case.parameters(), create_network(model).names

    def step(gradient):
        return 0.3 * gradient if isinstance(gradient, Tensor) else gradient.times(0.3)

    losses = [query_loss(case, parameters, dict.fromkeys(names, rate), True) for rate in (step, 0.3)]
    torch.testing.assert_close(*losses)


@both
@orders
def test_the_head_may_adapt_alone(model, second_order):
    case, names = Case(model, steps=3), create_network(model).names
    parameters, module, losses = case.parameters(), case.module(), []
    loss = query_loss(case, parameters, dict.fromkeys([HEAD, HEAD_BIAS], 0.3), second_order)
    for support, labels, query, query_labels in zip(*case.batch().parts(), strict=True):
        head = l2l.algorithms.MAML(module.classifier, lr=0.3, first_order=not second_order).clone()
        for _ in range(case.steps):
            head.adapt(F.cross_entropy(head(module.features(support[:, None]).flatten(1)), labels))
        losses.append(F.cross_entropy(head(module.features(query[:, None]).flatten(1)), query_labels))
    expected = torch.stack(losses).mean()
    torch.testing.assert_close(loss, expected)
    ours, theirs = ({name: own[name] for name in names} for own in (parameters, module_parameters(module)))
    assert distance(gradient_of(loss, ours), gradient_of(expected, theirs)) < 1e-11


def test_every_step_is_reached_in_turn_and_the_first_is_the_start():
    case = Case(steps=0)
    net, batch, parameters = create_network("fc"), case.batch(), case.parameters()
    rates = dict.fromkeys(net.names, 0.3)
    reached = inner_loop(net, net.fast(parameters), lambda _: rates, batch.support, batch.support_labels, False)
    losses = [task_losses(net(fast, batch.query), batch.query_labels).mean() for fast in islice(reached, 4)]
    torch.testing.assert_close(losses, [query_loss(case.but(steps=n), parameters, rates, False) for n in range(4)])
    at_start = task_losses(net(net.fast(parameters), batch.query), batch.query_labels).mean()
    torch.testing.assert_close(losses[0], at_start)
    assert len({loss.item() for loss in losses}) == 4
