"""Kernels that each task has adapted for itself.

A kernel's gradient is no thin product: there are far more pixels than weights. So an adapted kernel is the task's own.
"""

from dataclasses import dataclass

from torch import Tensor

from metaglot.core.nn.conv.autograd import convolve, weight_gradient


@dataclass(frozen=True)
class ConvGradient:
    """The gradient of a loss with respect to each task's kernel, by what it is made of."""

    grad: Tensor  # [tasks, n, height', width', out], with respect to the layer's outputs
    inputs: Tensor  # [tasks, n, height, width, in]

    def dense(self) -> Tensor:
        """[tasks, out, in, 3, 3]."""
        return weight_gradient(self.grad, self.inputs)

    def times(self, rate: Tensor | float) -> Tensor:
        """The update of a step; rate a scalar, or of the kernel's shape."""
        return self.dense() * rate


@dataclass(frozen=True)
class TaskConvWeight:
    """The shared kernel, or once a task has learned anything its own."""

    shared: Tensor  # [out, in, 3, 3]
    per_task: Tensor | None = None  # [tasks, out, in, 3, 3]

    def __call__(self, x: Tensor) -> Tensor:
        """x [tasks, n, height, width, in] -> [tasks, n, height', width', out]."""
        if self.per_task is not None:
            return convolve(x, self.per_task)
        y = convolve(x.flatten(0, 1).unsqueeze(0), self.shared.unsqueeze(0))
        return y.squeeze(0).unflatten(0, x.shape[:2])

    def plus(self, update: Tensor) -> "TaskConvWeight":
        return TaskConvWeight(self.shared, self.dense() + update)

    def dense(self) -> Tensor:
        """[tasks, out, in, 3, 3], or [out, in, 3, 3] where no task has learned anything."""
        return self.shared if self.per_task is None else self.per_task
