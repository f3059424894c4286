from copy import deepcopy
from itertools import islice

import pytest
import torch
import torch.nn.functional as F
from cases import CPU, Case, cases
from draws import examples
from hypothesis import given
from oracles import adam, distance, meta_gradient

from metaglot.algorithms.reptile import Reptile
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.core.learners.adam_steps import minibatch_rows
from metaglot.core.nn.functional_networks import create_network
from metaglot.core.nn.learn2learn_networks import module_parameters
from metaglot.core.tasks.image_store import ImageStore
from metaglot.core.tasks.random_streams import StreamPurpose

CASE = Case(ways=3, shots=4, tasks=3, steps=4)


def reptile(case: Case, fast_lr: float = 0.01, minibatch: int = 5) -> Reptile:
    settings = Reptile.Settings(minibatch=minibatch, test_minibatch=minibatch, training_shots=6)
    return Reptile(create_network(case.model), fast_lr, case.steps, settings=settings)


def adapted_by_hand(case: Case, algorithm: Reptile) -> list[dict[str, torch.Tensor]]:
    """Task by task, an ordinary Adam on an ordinary module."""
    adapted = []
    for support, labels, _, _ in zip(*case.batch().parts(), strict=True):
        module = deepcopy(case.module())
        inner = adam(module, algorithm.fast_lr)
        for step in range(case.steps):
            rows = minibatch_rows(step, len(support), algorithm.settings.minibatch, CPU)
            inner.zero_grad()
            F.cross_entropy(module(support[rows, None]), labels[rows]).backward()
            inner.step()
        adapted.append({name: module_parameters(module)[name].detach() for name in algorithm.network.names})
    return adapted


@examples(10)
@given(cases(first_order=None).filter(lambda case: case.steps and case.ways * case.shots >= 5))
def test_its_update_is_that_of_a_literal_loop_on_the_same_minibatches(case):
    algorithm, parameters = reptile(case), case.parameters()
    actual, _ = meta_gradient(algorithm, parameters, case.batch())
    tasks = adapted_by_hand(case, algorithm)
    names = algorithm.network.names
    expected = {n: parameters[n].detach() - torch.stack([task[n] for task in tasks]).mean(0) for n in names}
    assert distance({n: actual[n] for n in names}, expected) < 1e-9
    without_effect = {*parameters} - {*names}
    assert without_effect and not any(actual[name].any() for name in without_effect)


@pytest.mark.parametrize(("drawings", "queries"), [(8, 2), (7, 1)])
def test_its_training_tasks_have_a_query_of_every_character(drawings, queries):
    images = ImageStore(CASE.drawings()[:, :drawings], CPU)
    batch = reptile(CASE).training_batch(images, (StreamPurpose.TRAINING, 0, 1), CASE.task, 2)
    assert batch.support.shape[:2] == (2, 6 * CASE.ways) and batch.query.shape[:2] == (2, queries * CASE.ways)


def test_without_a_drawing_for_a_query_the_setting_is_named():
    images = ImageStore(CASE.drawings()[:, :6], CPU)
    with pytest.raises(UserError, match="settings.reptile.training_shots: got 6; takes up to 5: a class has 6 images"):
        reptile(CASE).training_batch(images, (StreamPurpose.TRAINING, 0, 1), CASE.task, 2)


@torch.no_grad()
def test_in_a_sequence_with_heads_of_their_own_every_task_keeps_what_its_head_learned() -> None:
    """Adam's weights change in place; by hand every task has a new Adam for a new head."""
    algorithm, batch = reptile(CASE), CASE.batch()
    supports = [
        (support[None], labels[None]) for support, labels in zip(batch.support, batch.support_labels, strict=True)
    ]
    module = CASE.module()
    first, heads = deepcopy(module.classifier), []
    of_features = adam(module.features, 0.01)
    for j, classifiers in enumerate(algorithm.learn_sequence(CASE.parameters(), supports, CASE.steps, "several")):
        module.classifier = deepcopy(first)
        of_head = adam(module.classifier, 0.01)
        heads.append(module.classifier)
        for step in range(CASE.steps):
            rows = minibatch_rows(step, batch.support.shape[1], 5, CPU)
            module.zero_grad()
            with torch.enable_grad():
                logits = module(batch.support[j][rows, None])
                F.cross_entropy(logits, batch.support_labels[j][rows]).backward()
            of_features.step()
            of_head.step()
        for i, classifier in enumerate(classifiers):
            judge = deepcopy(module)
            judge.classifier = heads[i]
            difference = classifier(batch.query[i][None])[0] - judge(batch.query[i][:, None])
            assert difference.abs().max() < 1e-6  # Adam's division amplifies rounding from task to task


def test_without_an_inner_step_its_update_is_zero():
    case = CASE.but(steps=0)
    gradient, _ = reptile(case).meta_gradient(case.parameters(), case.batch())
    assert all(part.abs().max() < 1e-12 for part in gradient)


def test_a_step_of_rate_one_ends_at_the_mean_of_the_adapted_weights():
    algorithm, parameters = reptile(CASE), CASE.parameters()
    gradient, _ = algorithm.meta_gradient(parameters, CASE.batch())
    for value, slope in zip(parameters.values(), gradient, strict=True):
        value.grad = slope.contiguous()
    algorithm.optimiser(parameters, 1.0).step()
    tasks = adapted_by_hand(CASE, algorithm)
    for name in create_network("fc").names:
        mean = torch.stack([task[name] for task in tasks]).mean(0)
        torch.testing.assert_close(parameters[name].detach(), mean, rtol=1e-6, atol=1e-9)


def test_its_outer_rate_falls_to_zero():
    assert [reptile(CASE).meta_lr_factor(progress) for progress in (0, 0.25, 1)] == [1, 0.75, 0]


def minibatches(count: int, images: int, size: int) -> list[int]:
    return torch.cat([minibatch_rows(step, images, size, CPU) for step in range(count)]).tolist()


def test_minibatches_take_every_image_once_in_each_epoch():
    rows = minibatches(6, 12, 4)
    assert sorted(rows[:12]) == sorted(rows[12:]) == [*range(12)] and rows[:12] != rows[12:]
    assert sorted(minibatches(1, 3, 10)) == [0, 1, 2]
    straddling = minibatches(5, 5, 2)
    assert sorted(straddling[:5]) == sorted(straddling[5:]) == [*range(5)]


def test_it_is_tested_with_minibatches_of_another_size():
    batch, parameters = CASE.batch(), CASE.parameters()
    other = Reptile(create_network("fc"), 0.01, 2, settings=Reptile.Settings(minibatch=5, test_minibatch=3))
    tested, trained = (
        [*islice(algorithm.adapt(parameters, batch.support, batch.support_labels), 3)][-1](batch.query)
        for algorithm in (other, reptile(CASE, minibatch=3))
    )
    assert torch.equal(tested, trained)


def test_training_tasks_have_their_own_shots():
    task = TaskConfig(ways=3, shots=1, queries=15, rotations="class")
    batch = reptile(CASE).training_batch(CASE.images(), (StreamPurpose.TRAINING, 0, 1), task, 2)
    assert batch.support.shape[:2] == (2, 3 * 6) and batch.query.shape[:2] == (2, 3 * 14)


def test_adapting_does_not_change_the_parameters():
    parameters = CASE.parameters()
    before = {name: value.detach().clone() for name, value in parameters.items()}
    batch = CASE.batch()
    classifiers = [*islice(reptile(CASE).adapt(parameters, batch.support, batch.support_labels), 3)]
    assert len(classifiers) == 3 and all(torch.equal(parameters[name], before[name]) for name in parameters)
