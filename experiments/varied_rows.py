"""The recorded parts of a varied experiment, each compared with the reference value over the seeds of both."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from experiments.compare import accuracy_by_seed
from experiments.load_record import ExperimentRecord, recorded_parts
from metaglot.core.common.errors import UserError
from metaglot.report.statistics.significance import PairedTest, compare_over_seeds, holm, verdict
from metaglot.report.tables import Record


@dataclass(frozen=True)
class VariedRow:
    """One part with its record. value: of the varied key; None for another algorithm."""

    part: str
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

    @property
    def seconds(self) -> float | None:
        """The mean training time; None if the runs were on different devices."""
        times = self.row["times"]
        return times[0]["train_seconds"]["mean"] if len(times) == 1 else None

    def median_alignment(self, column: str) -> float | None:
        """The median over the training and the seeds of `cosine` or `norm_ratio`; None if it was not measured."""
        values = [float(row[column]) for row in self.record.alignment]
        return float(np.median(values)) if values else None


@dataclass(frozen=True)
class Difference:
    """A row minus the reference over the seeds of both. p: Holm's, over all rows."""

    seeds: list[int]
    test: PairedTest
    p: float | None
    verdict: str


def varied_rows(record: ExperimentRecord) -> list[VariedRow]:
    """A row for each recorded part, in the order of the declaration."""
    vary = record.experiment.vary
    values = {f"{value:g}": value for value in vary.values} if vary else {}
    rows = [VariedRow(part, values.get(part), loaded) for part, loaded in recorded_parts(record).items()]
    _refuse_other_tasks(rows)
    return rows


def reference_row(record: ExperimentRecord, rows: list[VariedRow]) -> VariedRow | None:
    vary = record.experiment.vary
    return next((row for row in rows if vary and row.value == vary.reference), None)


def differences(reference: VariedRow, rows: list[VariedRow]) -> dict[str, Difference]:
    """By part: each other row minus the reference. These comparisons are one family, declared before looking."""
    margin = reference.record.margin
    shared = {
        row.part: seeds
        for row in rows
        if row is not reference and (seeds := [seed for seed in row.accuracies if seed in reference.accuracies])
    }
    tests = [compare_over_seeds(_paired(rows, part, reference, seeds), margin) for part, seeds in shared.items()]
    both = zip(holm([test.p for test in tests]), holm([test.p_margin for test in tests]), strict=True)
    return {
        part: Difference(seeds, test, p, verdict(test.difference, p, p_margin, margin))
        for (part, seeds), test, (p, p_margin) in zip(shared.items(), tests, both, strict=True)
    }


def gain(row: VariedRow, rows: list[VariedRow], reference: VariedRow) -> float | None:
    """How much of the reference's gain over the value 0 a row has, over the seeds of all three."""
    zero = next((other for other in rows if other.value == 0), None)
    if zero is None:
        return None
    seeds = [seed for seed in row.accuracies if seed in zero.accuracies and seed in reference.accuracies]
    if not seeds:
        return None
    ours, none, all_of_it = (np.mean([r.accuracies[seed] for seed in seeds]) for r in (row, zero, reference))
    return float((ours - none) / (all_of_it - none)) if all_of_it != none else None


def _paired(rows: list[VariedRow], part: str, reference: VariedRow, seeds: list[int]) -> Any:
    (row,) = (row for row in rows if row.part == part)
    return np.array([row.accuracies[seed] - reference.accuracies[seed] for seed in seeds])


def _refuse_other_tasks(rows: list[VariedRow]) -> None:
    tasks = [
        (row.record.comparison["evaluate"]["tasks_sha256"], row.record.comparison["split"]["sha256"]) for row in rows
    ]
    if len(set(tasks)) > 1:
        raise UserError(f"the parts of {rows[0].record.name} were not scored on the same tasks: record them again")
