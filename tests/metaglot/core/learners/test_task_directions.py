import pytest
import torch
from cases import Case

from metaglot.core.learners.inner_loop import logits_and_gradients, vectors_of_each_task
from metaglot.core.learners.task_directions import TaskDirections
from metaglot.core.nn.functional_networks import LayerRecorder, create_network
from metaglot.core.nn.weight_updates import LowRankGradient

both = pytest.mark.parametrize("model", ["fc", "conv"])


def directions(case: Case) -> tuple[TaskDirections, TaskDirections]:
    """The gradients on the support set and on the query set, and their sum."""
    network, batch = create_network(case.model), case.batch()
    fast = vectors_of_each_task(network.fast(case.parameters()), network.names, case.tasks)
    with torch.no_grad():
        images = network.prepare(batch.support)
        gradients = [
            TaskDirections.of(logits_and_gradients(network, fast, LayerRecorder(network.names), x, labels, 0)[1])
            for x, labels in ((images, batch.support_labels), (images, batch.query_labels))
        ]
    return gradients[0], gradients[0].plus(gradients[1])


def dense(direction: TaskDirections) -> dict[str, torch.Tensor]:
    """Every task's own tensor, by weight."""
    return {
        name: part if isinstance(part, torch.Tensor) else sum(product.dense() for product in part)
        for name, part in direction.parts.items()
    }


@both
def test_its_operations_are_those_of_the_whole_vectors(model):
    first, second = directions(Case(model))
    a, b = dense(first), dense(second)
    factor = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
    inner = sum((a[name] * b[name]).flatten(1).sum(1) for name in a)
    torch.testing.assert_close(first.dot(second), inner)
    combined = dense(first.times(factor).plus(second.times(-1.0)))
    for name, value in combined.items():
        scaled = factor.view(-1, *[1] * (value.dim() - 1)) * a[name]
        torch.testing.assert_close(value, scaled - b[name])


@both
def test_its_mean_is_over_the_tasks_and_0_for_what_it_does_not_know(model):
    case = Case(model)
    _, direction = directions(case)
    parameters, expected = case.parameters(), dense(direction)
    means = dict(zip(parameters, direction.mean(parameters), strict=True))
    for name, mean in means.items():
        whole = expected[name].mean(0) if name in expected else torch.zeros_like(parameters[name])
        torch.testing.assert_close(mean, whole.view_as(parameters[name]))


@both
def test_weights_are_changed_by_the_whole_direction(model):
    case = Case(model)
    network, (_, direction) = create_network(model), directions(case)
    start = network.fast(case.parameters())
    after = direction.added_to(start)
    for name, value in dense(direction).items():
        torch.testing.assert_close(after[name].dense(), start[name].dense() + value.view_as(after[name].dense()))


def test_products_on_the_same_images_become_one():
    _, direction = directions(Case())
    assert len(direction.parts["features.1.0.linear.weight"]) == 1
    assert len(direction.parts["features.1.1.linear.weight"]) == 2


@both
def test_no_norm_is_above_its_bound_which_is_reached_where_all_rows_are_parallel(model):
    first, second = directions(Case(model))
    for direction in (first, second):
        norm = sum(v.square().flatten(1).sum(1) for v in dense(direction).values()).sqrt()
        assert (norm <= direction.norm_bound()).all() and (direction.norm_bound() < 20 * norm).all()
    name = "classifier.weight"
    parallel = LowRankGradient(torch.ones(1, 3, 2), torch.ones(1, 3, 5))
    torch.testing.assert_close(TaskDirections({name: (parallel,)}).norm_bound(), parallel.dense().norm().view(1))


def test_a_direction_of_nothing_has_a_norm_bound_that_it_can_be_divided_by():
    direction, _ = directions(Case())
    nothing = direction.times(0.0)
    assert (nothing.norm_bound() > 0).all()
    assert not any(value.any() for value in dense(nothing.times(1 / nothing.norm_bound())).values())
