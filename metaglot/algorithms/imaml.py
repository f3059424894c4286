"""iMAML (Rajeswaran et al. 2019): the meta-gradient depends on the end of the adaptation, not on its path."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from metaglot.core.common.stage_configs import AlgorithmSettings, Rate, Steps
from metaglot.core.learners.conjugate_gradients import Coordinates, conjugate_gradients, inner_products
from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.inner_loop import TaskGradients, logits_and_gradients, updated, vectors_of_each_task
from metaglot.core.learners.meta_learner import MetaLearner, MetaParameters
from metaglot.core.learners.task_classifier import TaskScores, score_queries
from metaglot.core.learners.task_directions import TaskDirections
from metaglot.core.learners.task_hessians import TaskHessians
from metaglot.core.nn.conv.task_kernels import TaskConvWeight
from metaglot.core.nn.fast_weights import TaskLinearWeight, TaskVector
from metaglot.core.nn.functional_networks import LayerRecorder, TaskWeight, TaskWeights
from metaglot.core.nn.layer_inputs import LayerInput
from metaglot.core.nn.weight_updates import LowRankGradient
from metaglot.core.tasks.image_store import TaskBatch


class IMAML(MetaLearner):
    """Rajeswaran, Finn, Kakade and Levine 2019, "Meta-Learning with Implicit Gradients", equation 6 and algorithm 2.

    The inner loop takes gradient steps on the support loss plus `regularisation` / 2 times the squared distance from
    the shared weights. The meta-gradient is (I + H / regularisation)^-1 g for the Hessian H of the support loss and the
    gradient g of the query loss, both at the adapted weights, by `cg_steps` steps of conjugate gradients from 0.
    `damping` is added to `regularisation` there, but not in the inner loop; the paper's formula has none.
    `first_order` means nothing, because nothing is differentiated through the steps.
    """

    class Settings(AlgorithmSettings):
        fast_lr: Rate | None = 0.1
        adaptation_steps: Steps | None = 16
        test_adaptation_steps: Steps | None = 16
        regularisation: Rate = 2.0
        cg_steps: Annotated[int, Field(ge=1, le=1000)] = 5
        damping: Annotated[float, Field(ge=0, le=1000)] = 0.0

    label = "iMAML"
    trains_inductively = False
    settings: Settings

    @torch.no_grad()
    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        start, images = self.network.fast(parameters), self.network.prepare(support)
        fast: TaskWeights = start
        left = 1 - self.fast_lr * self.settings.regularisation
        while True:
            yield AdaptedNetwork(self.network, fast, images)
            _, gradients = self._gradients(fast, images, labels)
            pulled = {name: pulled_back(weight, start[name], left) for name, weight in fast.items()}
            fast = {name: updated(weight, gradients[name], self.fast_lr) for name, weight in pulled.items()}

    @torch.no_grad()
    def meta_gradient(self, parameters: MetaParameters, batch: TaskBatch) -> tuple[list[Tensor], TaskScores]:
        classifiers = self.adapt(parameters, batch.support, batch.support_labels)
        *_, adapted = islice(classifiers, self.adaptation_steps + 1)
        logits, gradients = self._gradients(adapted.fast, batch.query, batch.query_labels)
        names = self.network.names
        hessians = TaskHessians(self.network, adapted.fast, names, adapted.support, batch.support_labels)
        solution = self._solve(hessians, TaskDirections.of(gradients))
        return solution.mean(parameters), score_queries(logits, batch.query_labels)

    def _gradients(self, fast: TaskWeights, x: LayerInput, labels: Tensor) -> tuple[Tensor, TaskGradients]:
        fast = vectors_of_each_task(fast, self.network.names, len(labels))
        return logits_and_gradients(self.network, fast, LayerRecorder(self.network.names), x, labels, second_order=0)

    def _solve(self, hessians: TaskHessians, target: TaskDirections) -> TaskDirections:
        """(I + H / regularisation)^-1 times the target, for each task.

        Every vector is a multiple of the target plus coordinates of Hessian products. After these it has its inner
        product with the target and its products with the rows of `hessians`: so an inner product of two vectors needs
        no matrix.
        """
        divisor = self.settings.regularisation + self.settings.damping
        squared, of_target = target.dot(target), hessians.times_rows(target)
        half = 1 + len(of_target)

        def product(vector: Coordinates) -> Coordinates:
            curved = hessians.times(vector[half + 1 :])
            with_rows = hessians.times_rows(hessians.direction(curved))
            more = [torch.zeros_like(squared), *curved, inner_products(curved, of_target), *with_rows]
            return [v + m / divisor for v, m in zip(vector, more, strict=True)]

        def dot(one: Coordinates, other: Coordinates) -> Tensor:
            return inner_products(one[:half], other[half:])

        start = [torch.ones_like(squared), *hessians.zeros(), squared, *of_target]
        multiple, *coordinates = conjugate_gradients(product, dot, start, self.settings.cg_steps)[:half]
        return target.times(multiple).plus(hessians.direction(coordinates))


def pulled_back(weight: TaskWeight, start: TaskWeight, left: float) -> TaskWeight:
    """What remains of the way from the start to a weight."""
    match weight, start:
        case TaskLinearWeight(low_rank=LowRankGradient() as low_rank), _:
            shorter = LowRankGradient(low_rank.grad * left, low_rank.inputs, low_rank.cached)
            return TaskLinearWeight(weight.shared, shorter)
        case ((TaskLinearWeight() | TaskConvWeight()), _) if weight.per_task is not None:
            return type(weight)(weight.shared, per_task=torch.lerp(weight.shared, weight.per_task, left))
        case TaskVector(), TaskVector():
            return TaskVector(torch.lerp(start.value, weight.value, left))
    return weight
