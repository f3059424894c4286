"""The result of a test, data/results/<algorithm>-<seed>.json: one description for its writer and its readers.

Numbers are fractions of one; intervals are [low, high] at 95%.
"""

from typing import Annotated

from pydantic import Field

from metaglot.core.common.run_records import Fraction, Parity, Record
from metaglot.core.common.stage_configs import TaskConfig
from metaglot.evaluation.confidence_intervals import wider_interval
from metaglot.evaluation.metrics import INDUCTIVE
from metaglot.evaluation.stage_configs import EvaluationConfig

Interval = tuple[float, float]


class Mean(Record):
    """A mean over test tasks, and its interval if tasks were independent."""

    mean: float
    ci95: Interval


class ClusteredMean(Mean):
    """With the interval clustered by character, which accounts for characters shared between tasks."""

    mean: Fraction
    std: float
    ci95_by_character: Interval

    @property
    def wider_interval(self) -> Interval:
        """The interval that tables and figures show."""
        return wider_interval(self.ci95, self.ci95_by_character)


class InductiveScores(Record):
    """Scores where each query is classified independently of the others."""

    accuracy: ClusteredMean
    loss: Mean


class OriginalProtocol(Record):
    """Means over the first few tasks, as in the original study."""

    accuracy: Fraction
    loss: float
    tasks: int


class SequenceMean(Mean):
    """A mean over sequences; ci95_by_character is clustered both by sequence and by character."""

    ci95_by_character: Interval


class TaskInSequence(Record):
    """The scores of one task of every sequence, of A[i, j] as in sequence_scores.py.

    final: A[i, n], after the last task. learning: A[i, i]. forgetting: A[i, i] - A[i, n].
    """

    final: SequenceMean
    learning: SequenceMean
    forgetting: SequenceMean


class SequenceScores(TaskInSequence):
    """The means over the tasks of a sequence, and those of its first task, its second, ...

    matrix: row i has the means of A[i, i], ..., A[i, n].
    """

    by_place: list[TaskInSequence]
    matrix: list[list[Fraction]]


class SequenceModes(Record):
    """The scores on sequences in both modes, and a digest of their tasks."""

    tasks_sha256: str
    transductive: SequenceScores
    inductive: SequenceScores


class StepScores(Record):
    """Means over the test tasks after that many adaptation steps."""

    step: int
    accuracy: Fraction
    loss: float


class LabelPermutations(Record):
    """Some of the test tasks with permuted labels. accuracy_std: of a task's accuracy over the permutations."""

    tasks: int
    permutations: int
    accuracy_std: ClusteredMean


class Result(Record):
    """How one network scored on the test tasks. Metrics other than accuracy and loss are extra keys.

    parity: what comparing the logits of the first tasks with learn2learn's gave.
    """

    algorithm: str
    label: str
    first_order: bool | None
    dataset: str
    seed: int
    split_sha256: str
    tasks_sha256: str
    accuracy: ClusteredMean
    loss: Mean
    inductive: InductiveScores
    writeup: OriginalProtocol
    by_step: Annotated[list[StepScores], Field(min_length=1)]
    task: TaskConfig | None = None
    evaluate: EvaluationConfig
    label_permutations: LabelPermutations | None = None
    parity: Parity | None = None
    sequences: SequenceModes | None = None

    def mean_of(self, measure: str) -> Mean | None:
        """The mean of one of MEASURES; None in a result that is older than the metric."""
        scores = self.inductive if measure.startswith(INDUCTIVE) else self
        value = getattr(scores, measure.removeprefix(INDUCTIVE), None)
        if not isinstance(value, dict):
            return value
        kind = ClusteredMean if "ci95_by_character" in value else Mean
        return kind.model_validate(value, strict=False)
