"""Training in which every query is normalised by the support set's statistics, against a literal implementation."""

import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import distance, gradient_of, meta_gradient, nearest_mean
from torch import Tensor, nn
from torch.func import functional_call

from metaglot.algorithms.anil import ANIL
from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.label_free import LabelFree
from metaglot.algorithms.maml import MAML
from metaglot.algorithms.maml_plus_plus import MAMLPlusPlus
from metaglot.algorithms.protonet import ProtoNet
from metaglot.core.learners.meta_learner import MetaLearner, scores_after
from metaglot.core.nn.functional_networks import FunctionalNetwork, create_network
from metaglot.core.nn.learn2learn_networks import module_parameters

both = pytest.mark.parametrize("model", ["fc", "conv"])
Weights = dict[str, Tensor]


def learner(kind: type[MetaLearner], case: Case, inductive: bool = True, **settings) -> MetaLearner:
    algorithm = kind(create_network(case.model), case.fast_lr, case.steps, settings=kind.Settings(**settings))
    algorithm.inductive = inductive
    return algorithm


def features(module: nn.Module, weights: Weights, support: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    """Of the support set and of the queries, both normalised by the support set's mean and biased variance."""
    convolves = hasattr(module.features[1][0], "conv")
    support, query = (x[:, None] if convolves else x.flatten(1) for x in (support, query))
    for number, block in enumerate(module.features[1]):
        name, layer = ("conv", block.conv) if convolves else ("linear", block.linear)
        given = {key: weights[f"features.1.{number}.{name}.{key}"] for key in ("weight", "bias")}
        support, query = (functional_call(layer, given, (x,)) for x in (support, query))
        over = (0, 2, 3) if convolves else (0,)
        mean, variance = support.mean(over, keepdim=True), support.var(over, correction=0, keepdim=True)
        scale, shift = (weights[f"features.1.{number}.normalize.{key}"].view(mean.shape) for key in ("weight", "bias"))
        root = (variance + block.normalize.eps).sqrt()
        support, query = (F.relu((x - mean) / root * scale + shift) for x in (support, query))
    return tuple(x.mean((2, 3)) if convolves else x for x in (support, query))


def logits(module: nn.Module, weights: Weights, support: Tensor, query: Tensor) -> tuple[Tensor, Tensor]:
    seen, asked = features(module, weights, support, query)
    return tuple(F.linear(x, weights["classifier.weight"], weights["classifier.bias"]) for x in (seen, asked))


def by_hand(case: Case, kind: type[MetaLearner]) -> tuple[Weights, Tensor]:
    """The mean meta-gradient, and the tasks' query losses."""
    module, losses = case.module(), []
    start = {name: value.detach().requires_grad_() for name, value in module_parameters(module).items()}
    adapting = [name for name in start if kind is not ANIL or name.startswith("classifier")]
    for support, labels, query, query_labels in zip(*case.batch().parts(), strict=True):
        weights = start
        for _ in range(case.steps):
            loss = F.cross_entropy(logits(module, weights, support, query)[0], labels)
            second_order = kind is not FOMAML
            gradients = torch.autograd.grad(loss, [weights[n] for n in adapting], create_graph=second_order)
            steps = zip(adapting, gradients, strict=True)
            weights = {**weights, **{n: weights[n] - case.fast_lr * g for n, g in steps}}
        losses.append(F.cross_entropy(logits(module, weights, support, query)[1], query_labels))
    return gradient_of(torch.stack(losses).mean(), start), torch.stack(losses).detach()


def by_class_means(case: Case) -> tuple[Weights, Tensor]:
    """The same for the nearest class mean."""
    module, losses = case.module(), []
    start = {name: value.detach().requires_grad_() for name, value in module_parameters(module).items()}
    for support, labels, query, query_labels in zip(*case.batch().parts(), strict=True):
        seen, asked = features(module, start, support, query)
        losses.append(F.cross_entropy(nearest_mean(seen, labels, asked), query_labels))
    return gradient_of(torch.stack(losses).mean(), start), torch.stack(losses).detach()


def check(algorithm: MetaLearner, case: Case, gradient: Weights, losses: Tensor) -> None:
    actual, scores = meta_gradient(algorithm, case.parameters(), case.batch())
    torch.testing.assert_close(scores.losses, losses, rtol=1e-11, atol=1e-11)
    assert distance(actual, gradient) < 1e-10


@both
@pytest.mark.parametrize("kind", [MAML, FOMAML, ANIL])
@pytest.mark.parametrize("steps", [0, 1, 3])
def test_the_meta_gradient_is_that_of_a_literal_implementation(model, kind, steps):
    case = Case(model, steps=steps, shots=3)
    check(learner(kind, case), case, *by_hand(case, kind))


@both
@pytest.mark.parametrize("kind", [ProtoNet, LabelFree])
def test_the_gradient_of_class_means_is_that_of_a_literal_implementation(model, kind):
    case = Case(model, shots=3)
    check(learner(kind, case), case, *by_class_means(case))


def test_the_last_of_several_weighted_losses_is_that_of_the_inductive_protocol():
    case = Case(steps=2, shots=3)
    settings = {"learned_rates": False, "step_losses": True}
    start = learner(MAMLPlusPlus, case, **settings).at_progress(0.0)
    _, scores = start.meta_loss(case.parameters(), case.batch())
    torch.testing.assert_close(scores.losses, by_hand(case, MAML)[1], rtol=1e-11, atol=1e-11)


@both
def test_it_is_another_gradient_than_the_transductive_one_and_than_that_of_constant_statistics(model):
    case = Case(model, shots=3)
    inductive, transductive, constant = (learner(MAML, case, mode) for mode in (True, False, True))

    class Constant(FunctionalNetwork):
        def statistics(self, fast, x):
            return [type(given)(*(value.detach() for value in given)) for given in super().statistics(fast, x)]

    constant.network = Constant(constant.network.blocks)
    gradient, *others = (
        meta_gradient(each, case.parameters(), case.batch())[0] for each in (inductive, transductive, constant)
    )
    assert distance(others[0], gradient) > 0.1 and distance(others[1], gradient) > 0.01


def test_no_query_changes_the_training_loss_of_another():
    case = Case(shots=3, queries=4)
    batch = case.batch()
    algorithm = learner(MAML, case)
    alone = [
        scores_after(
            algorithm, case.parameters(),
            type(batch)(batch.support, batch.support_labels, batch.query[:, [n]], batch.query_labels[:, [n]]), 1,
        ).losses
        for n in range(batch.query.shape[1])
    ]  # fmt: skip
    whole = scores_after(algorithm, case.parameters(), batch, 1).losses
    torch.testing.assert_close(torch.stack(alone).mean(0), whole)


def test_the_parameters_second_order_variants_are_of_the_same_protocol():
    assert all(kind.inductive for kind in learner(MAML, Case()).approximate_and_exact())
    assert all(kind.inductive for kind in learner(ANIL, Case()).approximate_and_exact())
