import pytest
import torch
from cases import Case
from oracles import hessian_times, plain_tasks

from metaglot.core.learners.conjugate_gradients import inner_products
from metaglot.core.learners.inner_loop import logits_and_gradients, vectors_of_each_task
from metaglot.core.learners.task_directions import TaskDirections
from metaglot.core.learners.task_hessians import TaskHessians
from metaglot.core.nn.functional_networks import LayerRecorder, create_network


def whole(direction: TaskDirections, task: int, like: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A task's own tensors; 0 for weights that the direction does not know."""
    parts = {
        name: part if isinstance(part, torch.Tensor) else sum(product.dense() for product in part)
        for name, part in direction.parts.items()
    }
    return {n: parts[n][task].view_as(w) if n in parts else torch.zeros_like(w) for n, w in like.items()}


def hessians_and_direction(case: Case) -> tuple[TaskHessians, TaskDirections]:
    """Of the support loss at the initial weights, and the gradient of the query loss."""
    network, batch = create_network(case.model), case.batch()
    fast = vectors_of_each_task(network.fast(case.parameters()), network.names, case.tasks)
    _, gradients = logits_and_gradients(network, fast, LayerRecorder(network.names), batch.query, batch.query_labels, 0)
    hessians = TaskHessians(network, fast, network.names, network.prepare(batch.support), batch.support_labels)
    return hessians, TaskDirections.of(gradients)


def times(hessians: TaskHessians, direction: TaskDirections) -> TaskDirections:
    return hessians.direction(hessians.times(hessians.times_rows(direction)))


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_products_are_those_of_automatic_differentiation_and_can_be_taken_again(model):
    case = Case(model)
    hessians, direction = hessians_and_direction(case)
    once = times(hessians, direction)
    twice = times(hessians, once)
    parameters = case.parameters()
    for task, (support_loss, _) in enumerate(plain_tasks(case, case.module(), case.batch())):
        for before, after in ((direction, once), (once, twice)):
            expected = hessian_times(support_loss, parameters, whole(before, task, parameters))
            product = whole(after, task, parameters)
            for name in create_network(model).names:
                torch.testing.assert_close(product[name], expected[name], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("model", ["fc", "conv"])
def test_the_inner_product_with_a_product_comes_from_a_direction_s_products_with_the_rows(model):
    hessians, direction = hessians_and_direction(Case(model))
    with_rows = hessians.times_rows(direction)
    coordinates = hessians.times(with_rows)
    torch.testing.assert_close(
        inner_products(coordinates, with_rows), hessians.direction(coordinates).dot(direction), rtol=1e-9, atol=0
    )


def test_a_product_is_no_higher_in_rank_than_two_support_sets():
    case = Case()
    hessians, direction = hessians_and_direction(case)
    product = times(hessians, times(hessians, direction))
    for parts in product.parts.values():
        rank = 0 if isinstance(parts, torch.Tensor) else sum(part.inputs.shape[1] for part in parts)
        assert rank <= 2 * case.ways * case.shots
