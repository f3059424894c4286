"""Almost no inner loop."""

from metaglot.adaptation import Rates
from metaglot.algorithm import Learned
from metaglot.gradient_based import GradientBased
from metaglot.network import HEAD, HEAD_BIAS


class ANIL(GradientBased):
    """Only the head adapts; the features are learned by the outer loop alone.

    Raghu, Raghu, Bengio and Vinyals 2020, "Rapid Learning or Feature Reuse? Towards Understanding the
    Effectiveness of MAML", section 4. The meta-gradient is of second order: it goes through the head's
    adaptation.
    """

    label = "ANIL"
    first_order = False
    counterpart = "ANIL"

    def rates(self, learned: Learned, step: int) -> Rates:
        return dict.fromkeys((HEAD, HEAD_BIAS), self.fast_lr)
