"""MAML (Finn et al. 2017): every parameter adapts, and the meta-gradient goes through the adaptation."""

from metaglot.core.learners.gradient_based import GradientBased


class MAML(GradientBased):
    """Finn, Abbeel and Levine 2017, algorithm 2. With `first_order` it is FOMAML."""

    label = "MAML"
    first_order = False
    takes_first_order = True
    learn2learn_class = "MAML"
