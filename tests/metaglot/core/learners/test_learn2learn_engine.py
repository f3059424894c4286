import pytest
import torch
import torch.nn.functional as F
from cases import Case
from oracles import distance, learn2learn, meta_gradient

from metaglot.algorithms.maml import MAML
from metaglot.core.common.errors import UserError
from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.learn2learn_engine import Learn2LearnEngine
from metaglot.core.nn.functional_networks import create_network


class Foreign(MAML):
    """learn2learn does not have it."""

    label, learn2learn_class = "Foreign", None


def test_an_algorithm_that_learn2learn_does_not_have_has_no_learn2learn_engine():
    with pytest.raises(UserError, match="Foreign is not in learn2learn"):
        Learn2LearnEngine(Foreign(create_network("fc"), 0.4, 1), Case().module())


@pytest.mark.parametrize("case", [Case(steps=3), Case(first_order=True), Case("conv", steps=2)])
def test_the_learn2learn_engine_computes_learn2learns_example_at_the_given_weights(case):
    engine = Learn2LearnEngine(case.algorithm(), case.but(seed=9).module())
    actual, outcome = meta_gradient(engine, case.parameters(), case.batch())
    expected, losses, accuracies = learn2learn(case, case.module(), case.batch())
    assert distance(actual, expected) < 1e-14
    torch.testing.assert_close(outcome.losses, losses)
    torch.testing.assert_close(outcome.accuracies.double(), accuracies)


def test_the_learn2learn_engine_carries_nothing_from_one_batch_to_the_next():
    case = Case()
    loop, parameters = Learn2LearnEngine(case.algorithm(), case.module()), case.parameters()
    first, _ = loop.meta_gradient(parameters, case.batch(1))
    copies = [g.clone() for g in first]
    loop.meta_gradient(parameters, case.batch(2))
    again, _ = loop.meta_gradient(parameters, case.batch(1))
    torch.testing.assert_close(first, copies, rtol=0, atol=0)
    torch.testing.assert_close(again, copies, rtol=0, atol=0)


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_the_engines_logits_are_those_of_learn2learns_loop(model):
    case, expected = Case(model, hidden=64, tasks=2), []
    batch = case.batch()
    for support, labels, query, _ in zip(*batch.parts(), strict=True):
        learner = l2l.algorithms.MAML(case.module(), lr=case.fast_lr).clone()
        for _ in range(2):
            learner.adapt(F.cross_entropy(learner(support[:, None]), labels))
        expected.append(learner(query[:, None]).detach())
    logits = Learn2LearnEngine(case.algorithm(), case.module()).logits(case.parameters(), batch, 2)
    torch.testing.assert_close(logits, torch.stack(expected), rtol=1e-12, atol=1e-12)
