"""The recorded parts of a varied experiment, each compared with the reference value over the seeds of both."""

from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np

from experiments.compare import accuracy_by_seed
from experiments.load_record import ExperimentRecord, recorded_parts
from metaglot.core.common.errors import UserError
from metaglot.report.statistics.significance import PairedTest, compare_over_seeds, judge_family
from metaglot.report.tables import Record

NOT_RUN = {"difference": 0.0, "p": 1.0, "p_margin": 1.0}  # counts in Holm's correction, and settles nothing


@dataclass(frozen=True)
class VariedRow:
    """One part with its record. name: in tables. value: of the varied key; None for another algorithm."""

    part: str
    name: str
    value: float | None
    record: ExperimentRecord

    @cached_property
    def row(self) -> Record:
        """The algorithm's row of comparison.json."""
        (row,) = self.record.comparison["algorithms"]
        return row

    @cached_property
    def accuracies(self) -> dict[int, float]:
        (by_seed,) = accuracy_by_seed(self.record).values()
        return by_seed

    def median_alignment(self, column: str) -> float | None:
        """The median over the training and the seeds of `cosine` or `norm_ratio`; None if it was not measured."""
        values = [float(row[column]) for row in self.record.alignment]
        return float(np.median(values)) if values else None


@dataclass(frozen=True)
class Difference:
    """A row minus the reference over the seeds of both. p: Holm's, over all rows."""

    row: VariedRow
    seeds: list[int]
    test: PairedTest
    p: float | None
    verdict: str


class VariedRecord:
    """rows: a row for each recorded part, in the order of the declaration. reference: None if it is not among them."""

    def __init__(self, record: ExperimentRecord):
        assert record.experiment.vary is not None
        self.record, self.vary = record, record.experiment.vary
        values = {f"{value:g}": value for value in self.vary.values}
        self.rows = [self._row(part, values.get(part), loaded) for part, loaded in recorded_parts(record).items()]
        self.reference = next((row for row in self.rows if row.value == self.vary.reference), None)
        self._refuse_other_tasks()

    def _row(self, part: str, value: float | None, loaded: ExperimentRecord) -> VariedRow:
        """`c = 0.05`, or an algorithm's label."""
        label = loaded.comparison["algorithms"][0]["label"]
        return VariedRow(part, label if value is None else f"{self.vary.symbol} = {part}", value, loaded)

    def _refuse_other_tasks(self) -> None:
        compared = [row.record.comparison for row in self.rows]
        if len({(each["evaluate"]["tasks_sha256"], each["split"]["sha256"]) for each in compared}) > 1:
            raise UserError(f"the parts of {self.record.name} were not scored on the same tasks: record them again")

    @cached_property
    def differences(self) -> dict[str, Difference]:
        """By part: each other row minus the reference. All declared comparisons are one family, also those not run."""
        if self.reference is None:
            return {}
        others = [row for row in self.rows if row is not self.reference]
        shared = [(row, seeds) for row in others if (seeds := _same_seeds(row, self.reference))]
        margin = self.reference.record.margin
        tests = [
            compare_over_seeds(_accuracies(row, seeds) - _accuracies(self.reference, seeds), margin)
            for row, seeds in shared
        ]
        not_run = len(self.record.experiment.parts()) - 1 - len(tests)
        judged = judge_family([*map(asdict, tests), *[NOT_RUN] * not_run], margin)[: len(tests)]
        return {
            row.part: Difference(row, seeds, test, p, verdict)
            for (row, seeds), test, (p, _, verdict) in zip(shared, tests, judged, strict=True)
        }

    def gain(self, row: VariedRow) -> float | None:
        """How much of the reference's gain over the value 0 a row has, over the seeds of all three."""
        zero = next((other for other in self.rows if other.value == 0), None)
        if zero is None or self.reference is None:
            return None
        if not (seeds := _same_seeds(row, zero, self.reference)):
            return None
        ours, none, all_of_it = (_accuracies(each, seeds).mean() for each in (row, zero, self.reference))
        return float((ours - none) / (all_of_it - none)) if all_of_it != none else None


def _same_seeds(row: VariedRow, *others: VariedRow) -> list[int]:
    return [seed for seed in row.accuracies if all(seed in other.accuracies for other in others)]


def _accuracies(row: VariedRow, seeds: list[int]) -> np.ndarray:
    return np.array([row.accuracies[seed] for seed in seeds])
