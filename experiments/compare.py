"""Two experiments next to each other: the same algorithms from the same seeds, under other params."""

from itertools import combinations

import numpy as np

from experiments.load_record import Recorded
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.statistics.significance import compare_over_seeds, verdict
from metaglot.report.tables import Table

Accuracies = dict[str, dict[int, float]]  # by label and seed


def beside(here: Recorded, there: Recorded) -> str:
    """By algorithm, the difference in test accuracy over the seeds that both have; and how far seeds lie apart.

    The last two columns are mean sizes of differences, in points.
    """
    if not there.ran:
        return f"`{there.name}`, which it is to be set beside, was not run: `{there.command}`."
    ours, theirs = accuracies(here), accuracies(there)
    header = ["algorithm", "seeds", here.name, there.name, "difference, points", "95% interval", "p", "verdict"]
    header += ["between the two at a seed", "between two seeds of one"]
    rows = [row(label, ours[label], theirs[label], here.margin) for label in ours if label in theirs]
    return f"{_tasks(here, there)}\n\n{as_markdown(Table(header, [one for one in rows if one]))}"


def accuracies(found: Recorded) -> Accuracies:
    by_label: Accuracies = {}
    for run in found.comparison["runs"]:
        by_label.setdefault(run["label"], {})[run["seed"]] = run["accuracy"]
    return by_label


def row(label: str, ours: dict[int, float], theirs: dict[int, float], margin: float) -> list[str] | None:
    """The last two cells: mean sizes of the differences between the two at a seed, and between seeds of one."""
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


def _tasks(here: Recorded, there: Recorded) -> str:
    same = len({one.comparison["evaluate"]["tasks_sha256"] for one in (here, there)}) == 1
    same &= len({one.comparison["split"]["sha256"] for one in (here, there)}) == 1
    tasks = "on the same test tasks" if same else "each on its own test tasks"
    return f"Beside `{there.name}`, {tasks}, over the seeds that both have:"
