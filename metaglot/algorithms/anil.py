"""Almost no inner loop."""

from metaglot.core.learners.gradient_based import GradientBased
from metaglot.core.learners.inner_loop import InnerRates
from metaglot.core.learners.meta_learner import MetaParameters
from metaglot.core.nn.functional_networks import HEAD, HEAD_BIAS


class ANIL(GradientBased):
    """Only the head adapts; the features are learned by the outer loop alone.

    Raghu, Raghu, Bengio and Vinyals 2020, "Rapid Learning or Feature Reuse? Towards Understanding the
    Effectiveness of MAML", section 4. The meta-gradient is of second order: it goes through the head's
    adaptation.
    """

    label = "ANIL"
    first_order = False
    learn2learn_class = "ANIL"

    def rates(self, learned: MetaParameters, step: int) -> InnerRates:
        return dict.fromkeys((HEAD, HEAD_BIAS), self.fast_lr)
