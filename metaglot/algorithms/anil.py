"""ANIL (Raghu et al. 2020): only the head adapts."""

from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS


class ANIL(GradientBased):
    """Raghu, Raghu, Bengio and Vinyals 2020, "Rapid Learning or Feature Reuse? Towards Understanding the
    Effectiveness of MAML", section 4.

    The outer loop learns every parameter. The meta-gradient is of second order.
    """

    label = "ANIL"
    first_order = False
    learn2learn_class = "ANIL"

    def rates(self, parameters: MetaParameters, step: int) -> InnerRates:
        return dict.fromkeys((HEAD, HEAD_BIAS), self.fast_lr)
