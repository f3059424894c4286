"""Compare two experiments: the same algorithms and seeds with other params."""

from itertools import combinations

import numpy as np

from experiments.load_record import ExperimentRecord
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.statistics.significance import compare_over_seeds, verdict
from metaglot.report.tables import Table

Accuracies = dict[str, dict[int, float]]  # by label and seed


def compare_experiments(here: ExperimentRecord, there: ExperimentRecord) -> str:
    """A row for each algorithm: the difference in test accuracy over the seeds that both experiments have.

    The last two columns are mean absolute differences in points: between the experiments at the same seed, and
    between two seeds of the same experiment.
    """
    if not there.has_results:
        return f"Not compared with `{there.name}`, which was not run: `{there.command}`."
    ours, theirs = accuracy_by_seed(here), accuracy_by_seed(there)
    header = ["algorithm", "seeds", here.name, there.name, "difference, points", "95% interval", "p", "verdict"]
    header += ["mean gap at the same seed", "mean gap between seeds"]
    rows = [comparison_row(label, ours[label], theirs[label], here.margin) for label in ours if label in theirs]
    return f"{_tasks(here, there)}\n\n{as_markdown(Table(header, [one for one in rows if one]))}"


def accuracy_by_seed(found: ExperimentRecord) -> Accuracies:
    by_label: Accuracies = {}
    for run in found.comparison["runs"]:
        by_label.setdefault(run["label"], {})[run["seed"]] = run["accuracy"]
    return by_label


def comparison_row(label: str, ours: dict[int, float], theirs: dict[int, float], margin: float) -> list[str] | None:
    """One algorithm's row, or None if the experiments share no seed."""
    seeds = [seed for seed in ours if seed in theirs]
    if not seeds:
        return None
    pairs = np.array([(ours[seed], theirs[seed]) for seed in seeds])
    differences = pairs[:, 0] - pairs[:, 1]
    test = compare_over_seeds(differences, margin)
    apart = [abs(one - other) for column in pairs.T for one, other in combinations(column, 2)]
    return [
        label,
        formatting.listed([str(seed) for seed in seeds]),
        *(formatting.percent(mean) for mean in pairs.mean(axis=0)),
        formatting.points(test.difference),
        f"{formatting.points(test.ci95[0])} to {formatting.points(test.ci95[1])}" if test.ci95 else "",
        "" if test.p is None else f"{test.p:.2g}",
        verdict(test.difference, test.p, test.p_margin, margin),
        f"{100 * np.abs(differences).mean():.2f}",
        f"{100 * np.mean(apart):.2f}" if apart else "",
    ]


def _tasks(here: ExperimentRecord, there: ExperimentRecord) -> str:
    same = len({one.comparison["evaluate"]["tasks_sha256"] for one in (here, there)}) == 1
    same &= len({one.comparison["split"]["sha256"] for one in (here, there)}) == 1
    tasks = "on the same test tasks" if same else "each on its own test tasks"
    return f"Compared with `{there.name}`, {tasks}, over the seeds that both have:"
