"""Early stopping on the validation accuracy."""

from torch import Tensor

from metaglot.core.learners.meta_learner import MetaParameters


class EarlyStopping:
    """Keeps the parameters of the best validation; None as `patience` keeps nothing and never stops.

    patience: validations in a row without a better one, after which training stops.
    """

    def __init__(self, patience: int | None):
        self.patience = patience
        self.best: dict[str, Tensor] = {}
        self.best_accuracy = -1.0
        self.validations_since_best = 0

    @property
    def should_stop(self) -> bool:
        return self.patience is not None and self.validations_since_best >= self.patience

    def observe(self, accuracy: float, parameters: MetaParameters) -> None:
        if self.patience is None:
            return
        self.validations_since_best += 1
        if accuracy > self.best_accuracy:
            self.best = {name: value.detach().clone() for name, value in parameters.items()}
            self.best_accuracy, self.validations_since_best = accuracy, 0
