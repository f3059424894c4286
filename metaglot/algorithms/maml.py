"""Model-agnostic meta-learning."""

from metaglot.core.learners.gradient_based import GradientBased


class MAML(GradientBased):
    """Every parameter adapts, and the meta-gradient goes through the adaptation (Finn et al. 2017, algorithm
    2).

    With `first_order` it does not, and MAML is FOMAML.
    """

    label = "MAML"
    first_order = False
    takes_first_order = True
