import torch
from cases import CPU, cases, drawings
from draws import examples
from hypothesis import given
from oracles import distance, gradients_of, meta_gradient, nearest_mean_scores

from metaglot.algorithms.protonet import ProtoNet
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose


@examples(15)
@given(cases(steps=1).filter(lambda case: case.ways * case.shots >= 5))
def test_its_meta_gradient_is_that_of_a_literal_implementation(case):
    module, algorithm = case.module(), ProtoNet(create_network(case.model), 0.5, 1)
    losses, accuracies = nearest_mean_scores(module, case.batch())
    losses.mean().backward()
    actual, outcome = meta_gradient(algorithm, case.parameters(), case.batch())
    assert distance(actual, gradients_of(module)) < 1e-9
    torch.testing.assert_close(outcome.losses, losses.detach())
    torch.testing.assert_close(outcome.accuracies.double(), accuracies)


def training_shape(alphabets=None, tasks=1, characters="any", **settings) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Tasks and images of the support sets and of the query sets, where test tasks have 3 ways, 2 shots, 4 queries."""
    task = TaskConfig(ways=3, shots=2, queries=4, rotations="class", characters=characters)
    algorithm = ProtoNet(create_network("fc"), 0.5, 1, settings=ProtoNet.Settings(**settings))
    images = ImageStore(drawings(size=6), CPU, alphabets)
    batch = algorithm.training_batch(images, (StreamPurpose.TRAINING, 7, 1), task, tasks)
    return tuple(batch.support.shape[:2]), tuple(batch.query.shape[:2])


def test_training_tasks_have_their_own_ways_and_queries():
    assert training_shape(tasks=2, training_ways=8, training_queries=6) == ((2, 8 * 2), (2, 8 * 6))
    assert training_shape() == ((1, 9 * 2), (1, 9 * 5))  # as many characters as there are
    assert training_shape(training_queries=19) == ((1, 9 * 2), (1, 9 * (20 - 2)))  # of 20 drawings


def test_training_tasks_of_one_alphabet_have_the_ways_of_the_smallest_that_is_large_enough_and_are_more():
    alphabets = ["Greek"] * 4 + ["Latin"] * 5
    assert training_shape(alphabets, tasks=2, characters="alphabet")[0] == (2 * 2, 4 * 2)  # 9 ways are twice 4
    assert training_shape(alphabets, characters="alphabet", training_ways=3)[0] == (1, 3 * 2)
    assert training_shape(["Greek"] * 2 + ["Latin"] * 7, characters="alphabet")[0] == (1, 7 * 2)
