"""SeqFOMAML (Spigler 2019): first-order MAML on sequences of tasks, learned one after the other."""

from collections.abc import Iterator
from typing import Any, Literal

from torch import Tensor

from metaglot.core.common.stage_configs import MetaBatch
from metaglot.core.learners.adam_steps import AdamAdapted, AdamSteps
from metaglot.core.learners.gradient_based import AdaptedNetwork
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.learners.sequence_learner import SequenceLearner


class SeqFOMAML(SequenceLearner):
    """Spigler 2019, "Meta-learnt priors slow down catastrophic forgetting in neural networks".

    inner: `sgd` takes steps on the whole support set; `adam`, as in the author's code, takes steps of Adam with
    beta1 = 0 on minibatches, and Adam's state carries over from task to task.
    """

    class Settings(SequenceLearner.Settings):
        inner: Literal["sgd", "adam"] = "sgd"
        minibatch: MetaBatch = 10  # images in an inner step of Adam

    label = "SeqFOMAML"
    first_order: bool | None = True
    settings: Settings

    def __init__(self, *arguments: Any, **named: Any):
        super().__init__(*arguments, **named)
        if self.settings.inner == "adam":
            self.first_order = None  # no exact meta-gradient of Adam's steps is there to compare with

    def adapt(self, parameters: MetaParameters, support: Tensor, labels: Tensor) -> Iterator[AdaptedNetwork]:
        if self.settings.inner == "sgd":
            return super().adapt(parameters, support, labels)
        steps = AdamSteps(self.network, parameters, len(support), self.fast_lr)
        return steps.adapt(support, labels, self.settings.minibatch)

    def adapt_further(
        self, parameters: MetaParameters, adapted: AdaptedNetwork, support: Tensor, labels: Tensor
    ) -> Iterator[AdaptedNetwork]:
        if isinstance(adapted, AdamAdapted):
            return adapted.inner.adapt(support, labels, self.settings.minibatch)
        return super().adapt_further(parameters, adapted, support, labels)
