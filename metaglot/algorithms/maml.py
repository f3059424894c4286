"""MAML (Finn et al. 2017): every parameter adapts, and the meta-gradient goes through the adaptation."""

from typing import Annotated, Any

from pydantic import Field

from metaglot.core.common.stage_configs import AlgorithmSettings
from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.meta_learner import MetaLearner


class MAML(GradientBased):
    """Finn, Abbeel and Levine 2017, algorithm 2. With `first_order`, or with 0 as `second_order`, it is FOMAML.

    second_order: the factor c on the second-order term, so that the meta-gradient of one step is (I - c a H) g for
    the inner rate a, the Hessian H of the support loss and the gradient g of the query loss at the adapted weights.
    """

    class Settings(AlgorithmSettings):
        second_order: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 1.0

    label = "MAML"
    first_order = False
    takes_first_order = True
    learn2learn_class = "MAML"
    settings: Settings

    @classmethod
    def label_and_order(cls, first_order: bool, settings: Any) -> tuple[str, bool | None]:
        """The label tells how much of the second-order term remains where that is not all of it."""
        factor = settings.second_order
        if first_order:
            return f"{cls.label} (first_order=true)", first_order
        return cls.label if factor == 1 else f"{cls.label} (second_order={factor:g})", factor == 0

    @property
    def second_order(self) -> float:
        return 0.0 if self.first_order else self.settings.second_order

    def approximate_and_exact(self) -> tuple[MetaLearner, MetaLearner]:
        """With another factor than 0 and 1, the meta-gradient of training is the approximation."""
        first, exact = (MAML(self.network, self.fast_lr, self.adaptation_steps, order) for order in (True, False))
        first.inductive = exact.inductive = self.inductive
        return first if self.second_order in (0, 1) else self, exact
