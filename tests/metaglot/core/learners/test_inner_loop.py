from functools import partial
from itertools import islice

import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import distance
from torch import Tensor, nn
from torch.func import functional_call

from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.inner_loop import InnerRates, inner_loop, task_losses
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS, create_network
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import TaskBatch

both = pytest.mark.parametrize("model", ["fc", "conv"])
orders = pytest.mark.parametrize("second_order", [True, False])


def query_loss(
    case: Case, parameters: dict[str, Tensor], rates: InnerRates, batch: TaskBatch, second_order: bool
) -> Tensor:
    """The mean over tasks, after the case's steps with these rates."""
    net = create_network(case.model)
    reached = inner_loop(net, net.fast(parameters), lambda _: rates, batch.support, batch.support_labels, second_order)
    return task_losses(net(next(islice(reached, case.steps, None)), batch.query), batch.query_labels).mean()


def some_rates(case: Case) -> dict[str, Tensor]:
    """A random rate for each weight."""
    random = torch.Generator().manual_seed(1)
    rates = {name: torch.rand(w.shape, dtype=torch.double, generator=random) for name, w in case.parameters().items()}
    return {name: (0.2 * rate).requires_grad_() for name, rate in rates.items()}


def loss_by_hand(case: Case, module: nn.Module, rates: InnerRates, batch: TaskBatch, second_order: bool) -> Tensor:
    """The same with plain weights and `functional_call`, task by task."""
    call = partial(functional_call, module, tie_weights=False)  # OmniglotCNN has its blocks twice
    losses = []
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        weights = module_parameters(module)
        for _ in range(case.steps):
            loss = F.cross_entropy(call(weights, support[:, None]), labels)
            slopes = torch.autograd.grad(loss, [weights[n] for n in rates], create_graph=second_order)
            weights = weights | {n: weights[n] - r * g for (n, r), g in zip(rates.items(), slopes, strict=True)}
        losses.append(F.cross_entropy(call(weights, query[:, None]), query_labels))
    return torch.stack(losses).mean()


def meta_sgds_loss(
    case: Case, module: nn.Module, rates: dict[str, Tensor], batch: TaskBatch, second_order: bool
) -> Tensor:
    """The same by learn2learn's MetaSGD with these rates."""
    learner = l2l.algorithms.MetaSGD(module, lrs=nn.ParameterList([*rates.values()]))
    losses = []
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        adapted = learner.clone()
        for _ in range(case.steps):
            adapted.adapt(F.cross_entropy(adapted(support[:, None]), labels), first_order=not second_order)
        losses.append(F.cross_entropy(adapted(query[:, None]), query_labels))
    return torch.stack(losses).mean()


def test_a_tasks_loss_is_its_mean_cross_entropy():
    logits = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[0, 1, 2, 3], [4, 4, 4, 4], [1, 0, 1, 0]])
    expected = torch.stack([F.cross_entropy(x, y) for x, y in zip(logits, labels, strict=True)])
    torch.testing.assert_close(task_losses(logits, labels), expected)


@both
@orders
@pytest.mark.parametrize("count", [1, 3])
def test_every_weight_may_have_its_own_learnable_rate(model, second_order, count):
    case = Case(model, steps=count, tasks=2)
    batch, parameters, module, rates = case.batch(), case.parameters(), case.module(), some_rates(case)
    names = create_network(model).names
    rates = {name: rates[name] for name in names}
    own = module_parameters(module)
    loss = query_loss(case, parameters, rates, batch, second_order)
    expected = loss_by_hand(case, module, rates, batch, second_order)
    torch.testing.assert_close(loss, expected)
    for weights, others in (([parameters[n] for n in names], [own[n] for n in names]), ([*rates.values()],) * 2):
        gradients = torch.autograd.grad(loss, weights, retain_graph=True)
        reference = torch.autograd.grad(expected, others, retain_graph=True)
        assert distance(dict(enumerate(gradients)), dict(enumerate(reference))) < 1e-11


@orders
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # learn2learn looks at .grad of what is no leaf
def test_rates_of_every_weight_are_those_of_learn2learns_meta_sgd(second_order):
    case = Case(steps=2, tasks=2)
    batch, parameters, module, rates = case.batch(), case.parameters(), case.module(), some_rates(case)
    adapting = {name: rates[name] for name in create_network("fc").names}
    gradients = torch.autograd.grad(query_loss(case, parameters, adapting, batch, second_order), [*adapting.values()])
    theirs = {name: nn.Parameter(rate.detach()) for name, rate in rates.items()}
    loss = meta_sgds_loss(case, module, theirs, batch, second_order)
    expected = torch.autograd.grad(loss, [theirs[name] for name in adapting])
    assert distance(dict(enumerate(gradients)), dict(enumerate(expected))) < 1e-11


@both
def test_a_rate_may_be_a_function_that_gives_the_step_to_subtract(model):
    case = Case(model, steps=2)
    parameters, batch, names = case.parameters(), case.batch(), create_network(model).names

    def step(gradient):
        return 0.3 * gradient if isinstance(gradient, Tensor) else gradient.times(0.3)

    losses = [query_loss(case, parameters, dict.fromkeys(names, rate), batch, True) for rate in (step, 0.3)]
    torch.testing.assert_close(*losses)


@both
@orders
def test_the_head_may_adapt_alone(model, second_order):
    case = Case(model, steps=3)
    batch, parameters, module = case.batch(), case.parameters(), case.module()
    loss = query_loss(case, parameters, dict.fromkeys([HEAD, HEAD_BIAS], 0.3), batch, second_order)
    losses = []
    for support, labels, query, query_labels in zip(*batch.parts(), strict=True):
        head = l2l.algorithms.MAML(module.classifier, lr=0.3, first_order=not second_order).clone()
        for _ in range(case.steps):
            head.adapt(F.cross_entropy(head(module.features(support[:, None]).flatten(1)), labels))
        losses.append(F.cross_entropy(head(module.features(query[:, None]).flatten(1)), query_labels))
    expected = torch.stack(losses).mean()
    torch.testing.assert_close(loss, expected)
    names = create_network(model).names
    own = module_parameters(module)
    gradients = torch.autograd.grad(loss, [parameters[n] for n in names])
    reference = torch.autograd.grad(expected, [own[n] for n in names])
    assert distance(dict(zip(names, gradients, strict=True)), dict(zip(names, reference, strict=True))) < 1e-11


def test_every_step_is_reached_in_turn_and_the_first_is_the_start():
    case = Case(steps=0)
    net, batch, parameters = create_network("fc"), case.batch(), case.parameters()
    rates = dict.fromkeys(net.names, 0.3)
    reached = inner_loop(net, net.fast(parameters), lambda _: rates, batch.support, batch.support_labels, False)
    losses = [task_losses(net(fast, batch.query), batch.query_labels).mean() for fast in islice(reached, 4)]
    torch.testing.assert_close(
        losses, [query_loss(case.but(steps=n), parameters, rates, batch, False) for n in range(4)]
    )
    torch.testing.assert_close(
        losses[0], task_losses(net(net.fast(parameters), batch.query), batch.query_labels).mean()
    )
    assert len({loss.item() for loss in losses}) == 4


def test_adapting_lowers_the_loss_on_the_support_set():
    case = Case(ways=5, shots=3)
    batch = case.batch()
    seen = TaskBatch(batch.support, batch.support_labels, batch.support, batch.support_labels)
    rates = dict.fromkeys(create_network("fc").names, 0.1)
    losses = [query_loss(case.but(steps=n), case.parameters(), rates, seen, False).item() for n in range(6)]
    assert losses == sorted(losses, reverse=True)


def test_adapting_works_where_no_gradient_is_recorded():
    case = Case(steps=2)
    rates = dict.fromkeys(create_network("fc").names, 0.3)
    with torch.no_grad():
        loss = query_loss(case, case.parameters(), rates, case.batch(), False)
    assert not loss.requires_grad
    torch.testing.assert_close(loss, query_loss(case, case.parameters(), rates, case.batch(), True).detach())
