"""The large matrix products of these networks: those with the weights that all tasks share, counted as dense ones.

Every engine that multiplies whole images needs them; the batched engine skips empty pixels in the first layer.

With H a layer's inputs (images, or patches of them, of all tasks), Z = H W^T its outputs and g the gradient
with respect to Z, a meta-gradient takes

    FOMAML  of the query set: H W^T; g W, the gradient for the layer below; g^T H, the gradient for W
            of the support set, at each step: H W^T; g W
    MAML    also the derivative of the support set's, at each step:
            of Z = H W^T, with e the gradient for Z: e W; e^T H
            of g W, with a the gradient for it: a W^T, for g; g^T a, for W

The first layer has no layer below, so it needs no g W and no derivative of it. It sees the same support images at
every step, so its H W^T, and its e^T H with the e of all steps added up, are needed once. The cost of the tasks' own
weights (the Gram products of the low-rank form) is not counted: another form may not need them.
"""

from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from benchmarks.cases import Case, initial_parameters

Kind = Literal["H W^T", "g W", "g^T H"]


class Layer(NamedTuple):
    """A weight matrix [outputs, inputs], and how many rows an image has in its input."""

    name: str
    outputs: int
    inputs: int
    rows: int


class Product(NamedTuple):
    """[m, k] times [k, n]."""

    layer: str
    kind: Kind
    m: int
    k: int
    n: int

    @property
    def flop(self) -> int:
        return 2 * self.m * self.k * self.n


def count_in_layer(is_first: bool, steps: int, second_order: bool) -> dict[Kind, int]:
    """How often a layer's three products are needed; support and query set have the same size."""
    forward = min(steps, 1) if is_first else steps
    second = forward if second_order else 0
    below = 0 if is_first else 1
    return {
        "H W^T": 1 + forward + below * second,
        "g W": below * (1 + forward + second),
        "g^T H": 1 + (1 + below) * second,
    }


def count_products(case: Case) -> Counter[Product]:
    """How often a meta-gradient needs each product, in the engine's chunks of tasks."""
    products: Counter[Product] = Counter()
    for i, layer in enumerate(list_layers(case)):
        needed = count_in_layer(i == 0, case.steps, second_order=not case.kind.first_order)
        for tasks in chunk_sizes(case):
            for kind, count in needed.items():
                products[product(layer, kind, tasks * case.ways * case.shots * layer.rows)] += count
    return +products


def list_layers(case: Case) -> list[Layer]:
    """The network's weight matrices, in order."""
    layers, size = [], 28
    for name, weight in initial_parameters(case).items():
        if weight.dim() > 1:
            size = -(-size // 2) if weight.dim() == 4 else size  # each convolution has stride 2
            rows = size**2 if weight.dim() == 4 else 1
            layers.append(Layer(name.removesuffix(".weight"), len(weight), weight[0].numel(), rows))
    return layers


def chunk_sizes(case: Case) -> list[int]:
    return [min(case.chunk, case.tasks - start) for start in range(0, case.tasks, case.chunk)]


def product(layer: Layer, kind: Kind, rows: int) -> Product:
    if kind == "g^T H":
        return Product(layer.name, kind, layer.outputs, rows, layer.inputs)
    outputs, inputs = (layer.outputs, layer.inputs) if kind == "H W^T" else (layer.inputs, layer.outputs)
    return Product(layer.name, kind, rows, inputs, outputs)


def multiply_all(products: Counter[Product]) -> Callable[[], None]:
    """Compute them one after the other, into memory allocated beforehand."""
    matrices = [(*operands(product), count) for product, count in products.items()]

    def multiply() -> None:
        for out, a, b, count in matrices:
            for _ in range(count):
                torch.mm(a, b, out=out)

    return multiply


def operands(product: Product) -> tuple[Tensor, Tensor, Tensor]:
    """Memory for the result, and both matrices in an engine's memory layout: W and g are transposed."""
    _, kind, m, k, n = product
    a = torch.randn(k, m).t() if kind == "g^T H" else torch.randn(m, k)
    b = torch.randn(n, k).t() if kind == "H W^T" else torch.randn(k, n)
    return torch.empty(m, n), a, b
