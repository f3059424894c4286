import pytest
import torch
import torch.nn.functional as F
from cases import CHARACTERS, CPU, Case, cases, drawings
from draws import examples
from hypothesis import given
from hypothesis import strategies as st
from oracles import distance, gradients_of, inductive, meta_gradient
from sklearn.linear_model import LogisticRegression

from metaglot.algorithms.pretrained import BIAS, WEIGHT, Pretrained
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.task_classifier import classifier_after
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose
from metaglot.core.tasks.task_sampler import ROTATIONS


def pretrained(model: str, **settings: int) -> Pretrained:
    return Pretrained(create_network(model), 0.5, 1, settings=Pretrained.Settings(**settings))


@examples(5)
@given(cases(shots=3))
def test_its_heads_are_scikit_learns_on_the_same_features(case):
    """For two classes scikit-learn penalises one weight vector, ours two: its C is doubled."""
    model = case.model
    batch, module = case.batch(), case.module()
    with torch.no_grad():
        algorithm = pretrained(model)
        classifier = classifier_after(algorithm.adapt(case.parameters(), batch.support, batch.support_labels), 1)
        together, alone = classifier(batch.query).softmax(-1), classifier.inductive(batch.query).softmax(-1)
        for task, (support, labels, query, _) in enumerate(zip(*batch.parts(), strict=True)):
            penalty = 2 if case.ways == 2 else 1
            peer = LogisticRegression(C=penalty, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
            peer.fit(module.features(support[:, None]).numpy(), labels.numpy())
            expected = peer.predict_proba(module.features(query[:, None]).numpy())
            torch.testing.assert_close(together[task], torch.from_numpy(expected), rtol=1e-6, atol=1e-9)
            both = [torch.from_numpy(fitted) for fitted in (peer.coef_, peer.intercept_)]
            weight, bias = (torch.cat([-x / 2, x / 2]) if case.ways == 2 else x for x in both)
            module.classifier.weight.copy_(weight)
            module.classifier.bias.copy_(bias)
            torch.testing.assert_close(alone[task], inductive(module, support, query).softmax(-1), rtol=1e-6, atol=1e-9)


@examples(10)
@given(cases(), st.integers(2, 30))
def test_its_gradient_is_that_of_ordinary_training(case, minibatch):
    algorithm, module = pretrained(case.model, minibatch=minibatch), case.module()
    parameters = algorithm.initial_parameters(case.parameters(), case.images())
    random = torch.Generator().manual_seed(case.seed)
    parameters[WEIGHT] = torch.randn(parameters[WEIGHT].shape, generator=random, dtype=torch.double)
    parameters[BIAS] = parameters[BIAS].double()
    parameters = {name: value.detach().requires_grad_() for name, value in parameters.items()}
    batch = algorithm.training_batch(case.images(), (StreamPurpose.TRAINING, 0, 1), case.task, 5).double()
    features = module.features(batch.query[0][:, None])
    F.cross_entropy(features @ parameters[WEIGHT].T + parameters[BIAS], batch.query_labels[0]).backward()
    expected = gradients_of(module) | {name: parameters[name].grad for name in (WEIGHT, BIAS)}
    assert distance(meta_gradient(algorithm, parameters, batch)[0], expected) < 1e-9


@pytest.mark.parametrize(("rotations", "turns"), [("class", ROTATIONS), ("none", 1)])
def test_every_rotation_of_every_character_is_its_own_class(rotations, turns):
    pixels = drawings(size=6)
    images = ImageStore(pixels, CPU)
    task = TaskConfig(ways=3, shots=2, queries=2, rotations=rotations)
    batch = pretrained("fc", minibatch=400).training_batch(images, (StreamPurpose.TRAINING, 0, 1), task, 5)
    assert batch.query.shape == (1, 400, 6, 6) and batch.support.shape == (1, 0, 6, 6)
    assert set(batch.query_labels[0].tolist()) == {*range(turns * CHARACTERS)}
    for image, label in zip(batch.query[0], batch.query_labels[0].tolist(), strict=True):
        turn, character = divmod(label, CHARACTERS)
        drawn = torch.rot90(torch.from_numpy(pixels[character]).float() / 255, turn, (1, 2))
        assert (drawn - image).abs().amax((1, 2)).min() < 1e-6


def test_its_head_starts_at_zero():
    start = pretrained("fc").initial_parameters(Case().parameters(), Case().images())
    assert start[WEIGHT].shape[0] == len(start[BIAS]) == ROTATIONS * CHARACTERS
    assert not start[WEIGHT].any() and not start[BIAS].any()
