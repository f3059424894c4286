"""The mean accuracy of the tenth of the tasks with the lowest accuracies."""

import numpy as np
from numpy.typing import NDArray

TENTH = 10


def worst_tenth(accuracies: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each task's part in it, q - 10 max(q - accuracy, 0), [tasks], where q is the highest accuracy of the worst tenth.

    Their mean is the mean of the worst tenth (Rockafellar and Uryasev 2000, "Optimization of Conditional
    Value-at-Risk", equation 4), and their spread gives its standard error.
    """
    highest = np.sort(accuracies)[-(-len(accuracies) // TENTH) - 1].astype(np.float64)
    return (highest - TENTH * np.maximum(highest - accuracies, 0)).astype(np.float32)
