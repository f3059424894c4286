import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cases import CPU, Case, initial_parameters
from benchmarks.engines import LEARN2LEARN, create_engines, create_module
from benchmarks.matmul_count import Layer, count_products, list_layers, multiply_all, operands
from metaglot.algorithms.fomaml import FOMAML
from metaglot.algorithms.maml import MAML
from metaglot.core.common.stage_configs import Model
from metaglot.core.tasks.image_store import ImageStore

MODELS = pytest.mark.parametrize("model", ["fc", "conv"])


def flop(case: Case) -> int:
    return sum(product.flop * count for product, count in count_products(case).items())


def flop_of_one_product(layer: Layer, case: Case) -> int:
    """The FLOP of one product of a layer on all support sets."""
    return 2 * case.tasks * case.ways * case.shots * layer.rows * layer.inputs * layer.outputs


@MODELS
def test_without_adaptation_the_products_are_those_of_learn2learns_network_forward_and_backward(model: Model) -> None:
    case = Case(FOMAML, model, ways=3, shots=2, steps=0, tasks=2)
    with FlopCounterMode(display=False) as counter:
        logits = create_module(case)(torch.rand(2 * 3 * 2, 1, 28, 28))
        nn.functional.cross_entropy(logits, torch.zeros(12, dtype=torch.long)).backward()
    assert flop(case) == counter.get_total_flops()


@MODELS
def test_learn2learns_fomaml_multiplies_the_products_and_the_inner_gradients_of_the_weights(model: Model) -> None:
    case = Case(FOMAML, model, ways=3, shots=2, tasks=2)
    extra = sum(flop_of_one_product(layer, case) for layer in list_layers(case))
    assert multiplied_by_learn2learn(case) == flop(case) + extra


def test_learn2learns_maml_multiplies_the_products_and_what_its_own_weights_cost() -> None:
    """For each layer the inner gradient g^T H, and its derivative: for g and, where there is a layer below, for H.

    Not so for conv, whose second derivative PyTorch computes with more convolutions than it takes.
    """
    case = Case(MAML, ways=3, shots=2, tasks=2)
    first, *rest = list_layers(case)
    extra = 2 * flop_of_one_product(first, case) + sum(3 * flop_of_one_product(layer, case) for layer in rest)
    assert multiplied_by_learn2learn(case) == flop(case) + extra


def multiplied_by_learn2learn(case: Case) -> int:
    batch = case.batch(ImageStore(np.zeros((5, 20, 28, 28), np.uint8), CPU))
    with FlopCounterMode(display=False) as counter:
        create_engines(case)[LEARN2LEARN].meta_gradient(initial_parameters(case), batch)
    return int(counter.get_total_flops())


def test_chunks_have_the_products_of_the_whole() -> None:
    many, single = (Case(MAML, "conv", tasks=tasks) for tasks in (17, 1))
    assert many.chunk < many.tasks
    assert flop(many) == 17 * flop(single)


def test_of_more_steps_the_first_layer_is_in_the_first_only() -> None:
    one_step, three_steps = (count_products(Case(MAML, steps=steps)) for steps in (1, 3))
    for product, count in one_step.items():
        is_first = product.layer == "features.1.0.linear"
        assert (three_steps[product] == count) == is_first


def test_what_is_timed_is_what_is_counted() -> None:
    products = count_products(Case(MAML, tasks=2))
    with FlopCounterMode(display=False) as counter:
        multiply_all(products)()
    assert counter.get_total_flops() == flop(Case(MAML, tasks=2))
    for product in products:
        out, a, b = operands(product)
        assert (*out.shape, *a.shape) == (product.m, product.n, product.m, product.k) and b.shape[1] == product.n
