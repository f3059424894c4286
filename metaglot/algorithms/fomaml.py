"""FOMAML, first-order MAML (Finn et al. 2017): the meta-gradient is the query loss's at the adapted weights."""

from metaglot.core.learners.gradient_based import GradientBased


class FOMAML(GradientBased):
    """Finn, Abbeel and Levine 2017, section 5.2. Every parameter adapts."""

    label = "FOMAML"
    first_order = True
    learn2learn_class = "MAML"
