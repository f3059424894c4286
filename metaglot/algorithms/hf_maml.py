"""HF-MAML (Fallah et al. 2020): MAML whose Hessian-vector products are differences of two gradients."""

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings
from metaglot.core.learners.gradient_based import AdaptedNetwork, GradientBased
from metaglot.core.learners.inner_loop import logits_and_gradients, vectors_of_each_task
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_queries
from metaglot.core.learners.task_directions import TaskDirections
from metaglot.core.nn.batch_norm_relu.autograd import Given
from metaglot.core.nn.fast_weights import LayerInput
from metaglot.core.nn.functional_networks import TaskWeights
from metaglot.core.tasks.image_store import TaskBatch

TOLERANCE = 0.2  # of the second-order term's norm: in six settings we measured 0.0001 to 0.04


class HFMAML(GradientBased):
    """Fallah, Mokhtari and Ozdaglar 2020, "On the Convergence Theory of Gradient-Based Model-Agnostic Meta-Learning
    Algorithms", section 4.3.

    The Hessian of the support loss f times a direction v is [f'(w + d v) - f'(w - d v)] / (2 d), where d is chosen for
    each task so that d v has the norm `perturbation` (the paper also chooses d for each task). No gradient is
    differentiated. The error is of the order of d^2 where f is smooth. With `fixed_relu` every ReLU keeps the sign that
    it has at w. Otherwise the gradient jumps where a perturbation changes a sign, and a jump over 2 d is the larger the
    smaller d is. `run.json` has the error of the first meta-gradient.
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
        classifiers = self.adapt(parameters, batch.support, batch.support_labels)
        *path, adapted = islice(classifiers, self.adaptation_steps + 1)
        logits, direction = self._gradients(adapted.fast, batch.query, batch.query_labels)
        for before in reversed(path):
            direction = direction.plus(self._hessian_times(before, direction, batch.support_labels, -self.fast_lr))
        return direction.mean(parameters), score_queries(logits, batch.query_labels)

    def _hessian_times(
        self, at: AdaptedNetwork, direction: TaskDirections, labels: Tensor, factor: float
    ) -> TaskDirections:
        """The factor times the Hessian at these weights times the direction."""
        with torch.enable_grad():  # where the inner step has cached the images' products with the shared weights
            given = self.network.active_units(at.fast, at.support) if self.settings.fixed_relu else None
        length = self.settings.perturbation / direction.norm()
        step = direction.times(length)
        _, ahead = self._gradients(step.added_to(at.fast), at.support, labels, given)
        _, behind = self._gradients(step.times(-1.0).added_to(at.fast), at.support, labels, given)
        scale = factor / (2 * length)
        return ahead.times(scale).plus(behind.times(-scale))

    def _gradients(
        self, fast: TaskWeights, x: LayerInput, labels: Tensor, given: Sequence[Given] | None = None
    ) -> tuple[Tensor, TaskDirections]:
        names = self.network.names
        fast = vectors_of_each_task(fast, names, len(labels))
        logits, gradients = logits_and_gradients(self.network, fast, names, x, labels, 0, given)
        return logits, TaskDirections.of(gradients)
