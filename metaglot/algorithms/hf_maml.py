"""HF-MAML (Fallah et al. 2020): MAML whose Hessian-vector products are differences of two gradients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import logits_and_gradients, vectors_of_each_task
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_queries
from metaglot.core.learners.task_directions import TaskDirections
from metaglot.core.nn.batch_norm_relu.autograd import Given
from metaglot.core.nn.functional_networks import LayerRecorder, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.tasks.image_store import TaskBatch

TOLERANCE = 0.05  # of the second-order term's norm: in six settings we measured 0.00005 to 0.0002


class HFMAML(GradientBased):
    """Fallah, Mokhtari and Ozdaglar 2020, "On the Convergence Theory of Gradient-Based Model-Agnostic Meta-Learning
    Algorithms", section 4.3.

    The Hessian of the support loss f times a direction v is [f'(w + d v) - f'(w - d v)] / (2 d). The first v is the
    gradient of the query loss, and d is chosen for each task so that this d v is not longer than `perturbation` (the
    paper also chooses d for each task). No gradient is differentiated. The error is of the order of d^2 where f is
    smooth. With `fixed_relu` every ReLU keeps the sign that it has at w. Otherwise the gradient jumps where a
    perturbation changes a sign, and a jump over 2 d is the larger the smaller d is. `run.json` has the error of the
    first meta-gradient.
    """

    class Settings(AlgorithmSettings):
        perturbation: Annotated[float, Field(gt=0, le=1)] = 0.01
        fixed_relu: bool = True

    label = "HF-MAML"
    trains_inductively = False
    first_order = False
    settings: Settings

    @property
    def error_tolerance(self) -> float | None:  # type: ignore[override]
        return TOLERANCE if self.settings.fixed_relu else None

    def approximate_and_exact(self) -> tuple[MetaLearner, MetaLearner]:
        return self, GradientBased(self.network, self.fast_lr, self.adaptation_steps)

    @torch.no_grad()
    def meta_gradient(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[list[Tensor], TaskScores]:
        """From the last step to the first, v becomes (I - a H) v, starting from the gradient of the query loss."""
        fast: TaskWeights = self.network.fast(parameters)
        support, path = self.network.prepare(batch.support), list[LossGradient]()
        for _ in range(self.adaptation_steps):
            path.append(self._gradient(fast, support, batch.support_labels))
            fast = path[-1].direction.times(-self.fast_lr).added_to(path[-1].at)
        end = self._gradient(fast, batch.query, batch.query_labels)
        direction, length = end.direction, self.settings.perturbation / end.direction.norm_bound()
        for step in reversed(path):
            direction = direction.plus(self._second_order(direction, length, step, support, batch.support_labels))
        return direction.mean(parameters), score_queries(end.logits, batch.query_labels)

    def _second_order(
        self, direction: TaskDirections, length: Tensor, step: "LossGradient", support: LayerInput, labels: Tensor
    ) -> TaskDirections:
        """-a H times the direction, H where a step began; length [tasks]: the d of each task."""
        given = step.active_units if self.settings.fixed_relu else None
        ahead, behind = (
            self._gradient(direction.times(d).added_to(step.at), support, labels, given).direction.times(
                -self.fast_lr / (2 * d)
            )
            for d in (length, -length)
        )
        return ahead.plus(behind)

    def _gradient(
        self, fast: TaskWeights, x: LayerInput, labels: Tensor, given: Sequence[Given] | None = None
    ) -> "LossGradient":
        recorder = LayerRecorder(self.network.names)
        at = vectors_of_each_task(fast, recorder.names, len(labels))
        logits, gradients = logits_and_gradients(self.network, at, recorder, x, labels, 0, given)
        return LossGradient(at, TaskDirections.of(gradients), logits, recorder.active_units)


@dataclass(frozen=True)
class LossGradient:
    """The gradient of each task's loss, and what the forward pass gave."""

    at: TaskWeights
    direction: TaskDirections
    logits: Tensor
    active_units: Sequence[Given]
