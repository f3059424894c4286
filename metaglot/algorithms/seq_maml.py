"""SeqMAML: SeqFOMAML with the second-order term, a variant without a paper."""

from metaglot.core.learners.sequence_learner import SequenceLearner


class SeqMAML(SequenceLearner):
    """The meta-gradient of Spigler 2019 goes through the learning of all tasks of a sequence."""

    label = "SeqMAML"
    first_order = False
