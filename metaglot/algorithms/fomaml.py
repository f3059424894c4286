"""First-order MAML."""

from metaglot.core.learners.gradient_based import GradientBased


class FOMAML(GradientBased):
    """Every parameter adapts; the meta-gradient is the query loss's at the adapted weights.

    Finn et al. 2017, section 5.2.
    """

    label = "FOMAML"
    first_order = True
