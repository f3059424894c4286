"""Compare two experiments: the same algorithms and seeds with other params."""

from itertools import combinations
from typing import Any

import numpy as np

from experiments.load_record import ExperimentRecord, recorded_parts
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.statistics.significance import compare_over_seeds, verdict
from metaglot.report.tables import Table

TRAINED_FOR = "train.batch_norm"  # the protocol; a change is compared under both
AFTER_SEQUENCE = "after the last task"
BySeed = dict[int, float]
Accuracies = dict[str, BySeed]  # by label


def compare_experiments(first: ExperimentRecord, second: ExperimentRecord) -> str:
    """A row for each algorithm: the difference in test accuracy over the shared seeds.

    The last two columns are mean absolute differences in points: between the experiments at the same seed, and
    between two seeds of the same experiment.
    """
    if not second.has_results:
        return f"Not compared with `{second.name}`, which was not run: `{second.command}`."
    if not tasks_by_seed(first).keys() & tasks_by_seed(second).keys():
        return f"Not compared with `{second.name}`: no {first.unit} is in both."
    tables = [_table(first, second, "accuracy")]
    if TRAINED_FOR in first.experiment.settings:
        tables += ["Inductive accuracy:", _table(first, second, "inductive_accuracy")]
    if all(record.comparison.get("sequences") for record in (first, second)):
        tables += ["Accuracy after the last task of a sequence:", _table(first, second, AFTER_SEQUENCE)]
    return "\n\n".join([_tasks(first, second), *tables])


def _table(first: ExperimentRecord, second: ExperimentRecord, measure: str) -> str:
    accuracies, others = accuracy_by_seed(first, measure), accuracy_by_seed(second, measure)
    header = ["algorithm", f"{first.unit}s", first.name, second.name, "difference, points", "95% interval", "p"]
    header += ["verdict", f"mean gap at the same {first.unit}", f"mean gap between {first.unit}s"]
    shared = [label for label in accuracies if label in others]
    rows = [comparison_row(label, accuracies[label], others[label], first.margin, first.unit) for label in shared]
    return as_markdown(Table(header, list(filter(None, rows))))


def accuracy_by_seed(record: ExperimentRecord, measure: str = "accuracy") -> Accuracies:
    by_label: Accuracies = {}
    for run in record.comparison["runs"] if measure != AFTER_SEQUENCE else map(_of_sequences, record.results):
        by_label.setdefault(run["label"], {})[run["seed"]] = run[measure]
    return by_label


def _of_sequences(result: dict[str, Any]) -> dict[str, Any]:
    return result | {AFTER_SEQUENCE: result["sequences"]["transductive"]["final"]["mean"]}


def comparison_row(label: str, first: BySeed, second: BySeed, margin: float, unit: str = "seed") -> list[str] | None:
    """An algorithm's row, or None if the experiments share no seed."""
    seeds = [seed for seed in first if seed in second]
    if not seeds:
        return None
    pairs = np.array([(first[seed], second[seed]) for seed in seeds])
    differences = pairs[:, 0] - pairs[:, 1]
    test = compare_over_seeds(differences, margin)
    gaps = [abs(a - b) for column in pairs.T for a, b in combinations(column, 2)]
    return [
        label,
        formatting.listed([str(seed) for seed in seeds]),
        *(formatting.percent(mean) for mean in pairs.mean(axis=0)),
        formatting.points(test.difference),
        formatting.bounds(test.ci95),
        formatting.p_cell(test.p),
        verdict(test.difference, test.p, test.p_margin, margin, unit),
        f"{100 * np.abs(differences).mean():.2f}",
        f"{100 * np.mean(gaps):.2f}" if gaps else "",
    ]


def _tasks(first: ExperimentRecord, second: ExperimentRecord) -> str:
    ours, theirs = tasks_by_seed(first), tasks_by_seed(second)
    same = all(ours[seed] == theirs[seed] for seed in ours if seed in theirs)
    tasks = "on the same test tasks" if same else "each on its own test tasks"
    return f"Compared with `{second.name}`, {tasks}, over the {first.unit}s that both have:"


def tasks_by_seed(record: ExperimentRecord) -> dict[int, tuple[str, str]]:
    """The hashes of the test tasks and of the split, which differ between replicates."""
    parts = recorded_parts(record).values() if record.is_replicated else [record]
    return {
        seed: (part.comparison["evaluate"]["tasks_sha256"], part.comparison["split"]["sha256"])
        for part in parts
        for seed in part.about["recorded"]
    }
