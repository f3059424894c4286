"""The meta-parameters and their optimiser: one update from one meta-batch."""

from collections.abc import Mapping

import torch
from torch import Tensor

from metaglot.core.learners.batched_engine import Engine
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores
from metaglot.core.tasks.image_store import TaskBatch


class MetaOptimizer:
    """Changes the meta-parameters by the mean meta-gradient, with the algorithm's own optimiser and schedule."""

    def __init__(
        self, algorithm: MetaLearner, engine: Engine, parameters: MetaParameters, meta_lr: float, iterations: int
    ):
        self.algorithm, self.engine, self.meta_lr, self.iterations = algorithm, engine, meta_lr, iterations
        self.parameters = {name: value.detach().clone().requires_grad_() for name, value in parameters.items()}
        self.optimiser = algorithm.optimiser(self.parameters, meta_lr)
        self.iteration = 0  # the last one that is done
        self.norm: Tensor | None = None

    def step(self, batch: TaskBatch) -> TaskScores:
        """One iteration on a meta-batch; returns the tasks' query scores before the update."""
        scores = self.compute_gradient(batch)
        self.apply_gradient()
        return scores

    def compute_gradient(self, batch: TaskBatch) -> TaskScores:
        """Compute the meta-gradient without changing any parameter."""
        gradients, scores = self.engine.meta_gradient(self.parameters, batch, self.iteration / self.iterations)
        for value, gradient in zip(self.parameters.values(), gradients, strict=True):
            value.grad = gradient.contiguous()  # fused Adam (torch 2.14.1) misreads a transposed gradient
        return scores

    def apply_gradient(self) -> None:
        """Update the parameters by the computed meta-gradient."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.meta_lr * self.algorithm.meta_lr_factor(self.iteration / self.iterations)
        self.optimiser.step()
        self.iteration, self.norm = self.iteration + 1, None

    def gradient_norm(self) -> Tensor:
        """The norm of the last meta-gradient, []."""
        if self.norm is None:
            self.norm = torch.nn.utils.get_total_norm([v.grad for v in self.parameters.values() if v.grad is not None])
        return self.norm

    def state(self) -> dict[str, Tensor]:
        """Everything that the next iterations depend on, and the norm of the last gradient."""
        state = {f"parameters/{name}": value.detach() for name, value in self.parameters.items()}
        for index, values in self.optimiser.state_dict()["state"].items():
            state |= {f"optimiser/{index}/{name}": value for name, value in values.items()}
        return state | {"iteration": torch.tensor(self.iteration), "norm": self.gradient_norm().detach()}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a `state` as if training had not stopped."""
        optimiser = self.optimiser.state_dict()
        for key, value in state.items():
            kind, _, name = key.partition("/")
            if kind == "parameters":
                self.parameters[name].data.copy_(value)
            elif kind == "optimiser":
                index, _, name = name.partition("/")
                optimiser["state"].setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict(optimiser)
        self.iteration, self.norm = int(state["iteration"]), state["norm"]
