import numpy as np
import pytest
import torch.nn.functional as F
from cases import Case

from metaglot.algorithms.protonet import ProtoNet
from metaglot.core.common.learn2learn_parts import l2l
from metaglot.core.learners.meta_learner import MetaLearner
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.tasks.random_streams import StreamPurpose, stream_generator
from metaglot.evaluation.label_permutations import PERMUTATIONS, permuted_tasks, spread_of_accuracy
from metaglot.evaluation.trained_network import TrainedNetwork

CASE = Case(ways=3, shots=2, queries=4, tasks=5, fast_lr=0.1)
STREAM = StreamPurpose.TESTING, 0, 1


def spread(case: Case, algorithm: MetaLearner, chunk: int = 2) -> np.ndarray:
    trained = TrainedNetwork(algorithm, case.single_parameters(), case.images(), case.shots, case.steps, chunk)
    return spread_of_accuracy(trained, case.evaluation_tasks(), STREAM)


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_it_is_learn2learns_spread_over_the_same_permutations(model):
    case = CASE.but(model=model, tasks=2)
    batch = case.images().batch(case.evaluation_tasks(), case.shots).double()
    orders = stream_generator(STREAM).random((case.tasks, PERMUTATIONS, case.ways)).argsort(-1)
    expected = []
    for (support, labels, query, query_labels), permutations in zip(
        zip(*batch.parts(), strict=True), orders, strict=True
    ):
        accuracies = []
        for order in permutations:
            renamed, answers = (x.clone().apply_(lambda label, to=order: to[label]) for x in (labels, query_labels))
            learner = l2l.algorithms.MAML(case.module(), lr=case.fast_lr, first_order=True).clone()
            learner.adapt(F.cross_entropy(learner(support[:, None]), renamed))
            accuracies.append((learner(query[:, None]).argmax(1) == answers).double().mean().item())
        expected.append(np.std(accuracies, ddof=1))
    assert min(expected) > 0.01
    np.testing.assert_allclose(spread(case, case.algorithm()), expected, atol=1e-6)


def test_an_algorithm_that_treats_all_labels_alike_has_no_spread():
    assert spread(CASE, ProtoNet(create_network("fc"), CASE.fast_lr, 1)).max() < 1e-6


def test_chunks_change_nothing_but_rounding():
    whole = spread(CASE, CASE.algorithm(), chunk=100)
    np.testing.assert_allclose(spread(CASE, CASE.algorithm(), chunk=1), whole, atol=1e-6)


def test_200_of_10000_tasks_are_permuted_and_fewer_where_they_take_as_many_steps_as_the_others():
    assert [permuted_tasks(10_000, steps) for steps in (0, 1, 5, 6, 50, None)] == [200, 200, 200, 80, 80, 80]
    assert permuted_tasks(2, 1) == permuted_tasks(90, 50) == 2
