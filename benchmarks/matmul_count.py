"""The large matrix products of these networks: those with the weights that all tasks share, counted in full.

No engine that multiplies all of the images can do without; ours skips what is empty of them, in the first layer.

With H a layer's inputs (images, or patches of them, of all tasks), Z = H W^T its outputs and g the gradient
with respect to Z, a meta-gradient takes

    FOMAML  of the query set: H W^T; g W, the gradient for the layer below; g^T H, the gradient for W
            of the support set, at each step: H W^T; g W
    MAML    also the derivative of the support set's, at each step:
            of Z = H W^T, with e the gradient for Z: e W; e^T H
            of g W, with a the gradient for it: a W^T, for g; g^T a, for W

The first layer has none below, so no g W there, and nothing that derives from it; and it sees the same support
images at every step, so that its H W^T, and its e^T H with the e of all steps added up, are needed once.
What the tasks' own weights cost (the Gram products of the low-rank form) is not in it: another form may do without.
"""

from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from benchmarks.cases import Case
from benchmarks.engines import learned

Kind = Literal["H W^T", "g W", "g^T H"]


class Layer(NamedTuple):
    """A matrix, [outputs, inputs], and the rows that an image gives it."""

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


def counts(is_first: bool, steps: int, second_order: bool) -> dict[Kind, int]:
    """How often a layer's three products are needed; support and query set are of one size."""
    forward = min(steps, 1) if is_first else steps
    derived = forward if second_order else 0
    below = 0 if is_first else 1
    return {
        "H W^T": 1 + forward + below * derived,
        "g W": below * (1 + forward + derived),
        "g^T H": 1 + (1 + below) * derived,
    }


def products(case: Case) -> Counter[Product]:
    """How many of each a meta-gradient takes, in the chunks in which the engine computes it."""
    found: Counter[Product] = Counter()
    for i, layer in enumerate(layers(case)):
        needed = counts(i == 0, case.steps, second_order=not case.kind.first_order)
        for tasks in chunks(case):
            for kind, count in needed.items():
                found[shape(layer, kind, tasks * case.ways * case.shots * layer.rows)] += count
    return +found


def layers(case: Case) -> list[Layer]:
    """The network's matrices, in order."""
    found, size = [], 28
    for name, weight in learned(case).items():
        if weight.dim() > 1:
            size = -(-size // 2) if weight.dim() == 4 else size  # each convolution has stride 2
            rows = size**2 if weight.dim() == 4 else 1
            found.append(Layer(name.removesuffix(".weight"), len(weight), weight[0].numel(), rows))
    return found


def chunks(case: Case) -> list[int]:
    """The tasks of each chunk."""
    return [min(case.chunk, case.tasks - start) for start in range(0, case.tasks, case.chunk)]


def shape(layer: Layer, kind: Kind, rows: int) -> Product:
    if kind == "g^T H":
        return Product(layer.name, kind, layer.outputs, rows, layer.inputs)
    outputs, inputs = (layer.outputs, layer.inputs) if kind == "H W^T" else (layer.inputs, layer.outputs)
    return Product(layer.name, kind, rows, inputs, outputs)


def work(counted: Counter[Product]) -> Callable[[], None]:
    """All of them, one after the other, into memory that lies ready."""
    ready = [(*operands(product), count) for product, count in counted.items()]

    def multiply() -> None:
        for out, a, b, count in ready:
            for _ in range(count):
                torch.mm(a, b, out=out)

    return multiply


def operands(product: Product) -> tuple[Tensor, Tensor, Tensor]:
    """Memory for the result, and both matrices as they lie in memory in an engine: W and g come transposed."""
    _, kind, m, k, n = product
    a = torch.randn(k, m).t() if kind == "g^T H" else torch.randn(m, k)
    b = torch.randn(n, k).t() if kind == "H W^T" else torch.randn(k, n)
    return torch.empty(m, n), a, b
