import pytest
import torch
import torch.nn.functional as F
from cases import Case, cases, drawings
from draws import examples
from hypothesis import given
from oracles import distance
from torch import Tensor, nn

from metaglot.algorithms.protonet import ProtoNet
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.task_classifier import classifier_after
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import ImageStore, TaskBatch
from metaglot.core.tasks.random_streams import StreamPurpose

both = pytest.mark.parametrize("model", ["fc", "conv"])
CASE = Case(ways=3, shots=2, queries=3, tasks=3)


def literal(module: nn.Module, batch: TaskBatch) -> tuple[Tensor, Tensor]:
    """Losses [tasks] and logits [tasks, m, ways], distance by distance."""
    logits = []
    for support, labels, query, _ in zip(*batch.parts(), strict=True):
        support_features, query_features = module.features(support[:, None]), module.features(query[:, None])
        means = torch.stack([support_features[labels == label].mean(0) for label in labels.unique()])
        logits.append(torch.stack([-(x - means).square().sum(1) for x in query_features]))
    losses = torch.stack([F.cross_entropy(x, y) for x, y in zip(logits, batch.query_labels, strict=True)])
    return losses, torch.stack(logits)


@examples(15)
@given(cases(steps=1).filter(lambda case: case.ways * case.shots >= 5))
def test_its_meta_gradient_is_that_of_a_literal_implementation(case):
    module, parameters = case.module(), case.parameters()
    losses, logits = literal(module, case.batch())
    losses.mean().backward()
    actual, outcome = ProtoNet(create_network(case.model), 0.5, 1).meta_gradient(parameters, case.batch())
    expected = {n: p.grad if p.grad is not None else torch.zeros_like(p) for n, p in module_parameters(module).items()}
    assert distance(dict(zip(parameters, actual, strict=True)), expected) < 1e-9
    torch.testing.assert_close(outcome.losses, losses.detach())
    right = (logits.argmax(-1) == case.batch().query_labels).float().mean(1)
    torch.testing.assert_close(outcome.accuracies, right)


@both
def test_inductive_a_query_is_answered_alike_whatever_the_others_are(model):
    case = CASE.but(model=model)
    batch, algorithm = case.batch(), ProtoNet(create_network(model), 0.5, 1)
    with torch.no_grad():
        classifier = classifier_after(algorithm.adapt(case.parameters(), batch.support, batch.support_labels), 5)
        whole = classifier.inductive(batch.query)
        torch.testing.assert_close(classifier.inductive(batch.query[:, :1]), whole[:, :1])
        assert not torch.allclose(classifier(batch.query), whole, atol=1e-2)


def test_training_tasks_of_one_alphabet_have_the_ways_of_the_test():
    names = ["Greek"] * 4 + ["Latin"] * 5
    images = ImageStore(drawings(size=6), torch.device("cpu"), names)
    task = TaskConfig(ways=3, shots=2, queries=4, rotations="class", characters="alphabet")
    batch = ProtoNet(create_network("fc"), 0.5, 1).training_batch(images, (StreamPurpose.TRAINING, 7, 1), task, 2)
    assert batch.support.shape[:2] == (2, 3 * 2)


def test_training_tasks_have_their_own_ways_and_queries():
    images = ImageStore(drawings(size=6), torch.device("cpu"))
    task, stream = TaskConfig(ways=3, shots=2, queries=4, rotations="class"), (StreamPurpose.TRAINING, 7, 1)
    wide = ProtoNet(create_network("fc"), 0.5, 1, settings=ProtoNet.Settings(training_ways=8, training_queries=6))
    batch = wide.training_batch(images, stream, task, 2)
    assert batch.support.shape[:2] == (2, 8 * 2) and batch.query.shape[:2] == (2, 8 * 6)
    most = ProtoNet(create_network("fc"), 0.5, 1).training_batch(images, stream, task, 1)
    assert most.support.shape[:2] == (1, 9 * 2)  # as many as there are
    many = ProtoNet(create_network("fc"), 0.5, 1, settings=ProtoNet.Settings(training_queries=19))
    assert many.training_batch(images, stream, task, 1).query.shape[:2] == (1, 9 * (20 - 2))  # of 20 drawings


def test_its_defaults_are_the_papers():
    """Snell et al. 2017, section 3.1, and a constant rate."""
    defaults = {"meta_batch_size": 1, "meta_lr": 0.001, "training_ways": 60, "training_queries": 5}
    assert ProtoNet.Settings().model_dump(exclude_none=True).items() >= defaults.items()
