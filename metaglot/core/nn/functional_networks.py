"""learn2learn's Omniglot networks as functions of their weights, for all tasks at once.

`fc` is OmniglotFC (Santoro et al. 2016: 784-256-128-64-64), `conv` is OmniglotCNN (Finn et al. 2017: four
3x3 convolutions of 64 filters, stride 2, mean over what is left), both with batch norm and ReLU, then a
linear classifier. The names of the parameters are learn2learn's. Batch norm always uses the statistics of
the batch in hand, or those it is given.

The bias before a batch norm is left out: the norm subtracts it, so its effect and its exact gradient are
zero.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat

from torch import Tensor

from metaglot.core.nn.batch_norm_relu.autograd import ActiveUnits, Given, norm_relu, statistics
from metaglot.core.nn.conv.task_kernels import ConvGradient, TaskConvWeight
from metaglot.core.nn.fast_weights import TaskLinearWeight, TaskVector
from metaglot.core.nn.layer_inputs import CachedInput, LayerInput, rows
from metaglot.core.nn.scale_derivative import scale_derivative
from metaglot.core.nn.weight_updates import LowRankGradient

TaskWeight = TaskLinearWeight | TaskConvWeight | TaskVector
TaskWeights = Mapping[str, TaskWeight]

HEAD, HEAD_BIAS = "classifier.weight", "classifier.bias"


@dataclass(frozen=True)
class LayerRecorder:
    """What the named matrices saw and gave in a forward pass: the two factors of a gradient come from here."""

    names: Collection[str]
    inputs: dict[str, Tensor] = field(default_factory=dict)  # [tasks, n, in], or [tasks, n, height, width, in]
    outputs: dict[str, Tensor] = field(default_factory=dict)  # the same with `out`
    cached: dict[str, CachedInput] = field(default_factory=dict)
    active_units: list[Given] = field(default_factory=list)  # of each block, for a forward of the same images

    def record(self, name: str, x: LayerInput, z: Tensor) -> None:
        if name in self.names:
            self.inputs[name], self.outputs[name] = rows(x), z if z.requires_grad else z.requires_grad_()
            if isinstance(x, CachedInput):
                self.cached[name] = x

    def factors(self, name: str, grad: Tensor, second_order: float) -> LowRankGradient | ConvGradient:
        """The gradient of a weight, given that of its outputs; `second_order` as in `scale_derivative`."""
        x, grad = (scale_derivative(factor, second_order) for factor in (self.inputs[name], grad))
        return ConvGradient(grad, x) if x.dim() == 5 else LowRankGradient(grad, x, self.cached.get(name))


@dataclass(frozen=True)
class Block:
    """A linear map or a convolution, batch norm, ReLU."""

    matrix: str
    scale: str
    shift: str
    eps: float
    convolves: bool

    @property
    def unused(self) -> str:
        """The bias that the norm takes away again."""
        return self.matrix.removesuffix("weight") + "bias"

    def __call__(self, fast: TaskWeights, x: LayerInput, tape: LayerRecorder | None, given: Given | None) -> Tensor:
        """x [tasks, m, in], or [tasks, m, height, width, in] where it convolves -> the same with its own features."""
        z = apply(fast, self.matrix, x, tape)
        flat = z.flatten(1, 3) if self.convolves else z
        y = norm_relu(flat, vector(fast, self.scale), vector(fast, self.shift), self.eps, given)
        if tape is not None:
            tape.active_units.append(ActiveUnits(y.detach()))
        return y.view_as(z)


@dataclass(frozen=True)
class FunctionalNetwork:
    blocks: tuple[Block, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that have an effect, in order."""
        inner = (name for block in self.blocks for name in (block.matrix, block.scale, block.shift))
        return (*inner, HEAD, HEAD_BIAS)

    def fast(self, weights: Mapping[str, Tensor]) -> dict[str, TaskWeight]:
        """Fast weights that no task has changed yet."""
        return {name: unchanged(weights[name]) for name in self.names}

    def task_weights(self, weights: Mapping[str, Tensor], per_task: Mapping[str, Tensor]) -> dict[str, TaskWeight]:
        """Fast weights of which every task has its own, [tasks, ...], in place of the shared ones."""
        return {name: task_weight(weights[name], per_task[name]) for name in self.names}

    def prepare(self, x: LayerInput) -> LayerInput:
        """Images as the first block takes them: prepared once, they share what forward passes have in common.

        For the passes with one set of weights: prepare them again after a step that changes these in place.
        """
        if isinstance(x, CachedInput) or x.dim() != 4:
            return x
        return x.unsqueeze(-1) if self.blocks[0].convolves else CachedInput(x.flatten(2))

    def features(
        self,
        fast: TaskWeights,
        x: LayerInput,
        tape: LayerRecorder | None = None,
        given: Sequence[Given] | None = None,
    ) -> Tensor:
        """x [tasks, m, height, width], ink = 1, in colour [..., 3], or prepared -> [tasks, m, features]."""
        x = self.prepare(x)
        for block, norm in zip(self.blocks, given or repeat(None), strict=False):
            x = block(fast, x, tape, norm)
        features = rows(x)
        return features.mean((2, 3)) if features.dim() == 5 else features

    def __call__(
        self,
        fast: TaskWeights,
        x: LayerInput,
        tape: LayerRecorder | None = None,
        given: Sequence[Given] | None = None,
    ) -> Tensor:
        """x [tasks, m, height, width], or prepared -> logits [tasks, m, ways].

        `tape` collects what each matrix saw and gave.
        """
        return apply(fast, HEAD, self.features(fast, x, tape, given), tape) + vector(fast, HEAD_BIAS)

    def statistics(self, fast: TaskWeights, x: LayerInput) -> list[Given]:
        """What each block's batch norm sees on x, to be `given` to a forward of other images."""
        tape = LayerRecorder([block.matrix for block in self.blocks])
        self.features(fast, x, tape)
        return [statistics(z.flatten(1, -2)) for z in tape.outputs.values()]


def create_network(model: str) -> FunctionalNetwork:
    """`fc` or `conv`."""
    layer, eps = ("conv", 1e-5) if model == "conv" else ("linear", 1e-3)
    names = (f"features.1.{i}" for i in range(4))
    return FunctionalNetwork(
        tuple(
            Block(f"{n}.{layer}.weight", f"{n}.normalize.weight", f"{n}.normalize.bias", eps, layer == "conv")
            for n in names
        )
    )


def apply(fast: TaskWeights, name: str, x: LayerInput, tape: LayerRecorder | None) -> Tensor:
    weight = fast[name]
    assert not isinstance(weight, TaskVector)
    z = weight(rows(x)) if isinstance(weight, TaskConvWeight) else weight(x)
    if tape is not None:
        tape.record(name, x, z)
    return z


def vector(fast: TaskWeights, name: str) -> Tensor:
    weight = fast[name]
    assert isinstance(weight, TaskVector)
    return weight.value


def unchanged(parameter: Tensor) -> TaskWeight:
    if parameter.dim() == 1:
        return TaskVector(parameter.view(1, 1, -1))
    return TaskConvWeight(parameter) if parameter.dim() == 4 else TaskLinearWeight(parameter)


def task_weight(parameter: Tensor, per_task: Tensor) -> TaskWeight:
    if parameter.dim() == 1:
        return TaskVector(per_task.unsqueeze(1))
    kind = TaskConvWeight if parameter.dim() == 4 else TaskLinearWeight
    return kind(parameter, per_task=per_task)
