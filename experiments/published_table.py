"""Our results compared with published ones, by what the paper's ± means."""

from typing import NamedTuple

from experiments.load_record import ExperimentRecord
from metaglot.report import formatting
from metaglot.report.published_results import Mode, published_results
from metaglot.report.tables import Record, Table, main_table, ranked

INTERVAL = "± is a 95% interval"
OURS = ("algorithm", "seeds", "test accuracy", "inductive")
MODES: dict[Mode | None, tuple[str, str]] = {  # by the paper's mode: its name, and our accuracy to compare
    "transductive": ("transductive", "accuracy"),
    "inductive": ("inductive", "inductive_accuracy"),
    None: ("transductive; the paper's not known", "accuracy"),
}
PARTS = 4  # the curve is shown at the end of each part of the training


class PublishedNumber(NamedTuple):
    """A published accuracy in percent with its ±, what that means, and the source; mode is None if unknown."""

    accuracy: str
    meaning: str
    source: str
    mode: Mode | None


def published_number(method: str, network: str, cell: str) -> PublishedNumber:
    """Find a published accuracy; KeyError if there is none."""
    published = published_results()
    for group in published.groups:
        for result in group.results:
            if (result.method, result.network) == (method, network):
                accuracy = result.accuracies[published.cells.index(cell)]
                return PublishedNumber(accuracy, group.meaning, result.source, result.mode)
    raise KeyError((method, network))


def agreement(ours: float, found: PublishedNumber) -> str:
    """ours: a fraction. Without a published interval there is only a difference."""
    mean, _, reach = (part.strip() for part in found.accuracy.partition("±"))
    difference = round(100 * ours - float(mean), 2)  # rounded as it is shown, so that a bound counts as inside
    shown = f"{formatting.points(difference / 100)} points"
    if not found.meaning.startswith(INTERVAL):
        return f"{shown}; it has no 95% interval"
    if abs(difference) <= float(reach):
        return "within the paper's interval"
    return f"{'above' if difference > 0 else 'below'} the paper's interval: {shown}"


def cell_table(found: ExperimentRecord) -> Table:
    """A row for each algorithm: our results, the published one, and whether they agree."""
    compared = found.comparison
    shown = main_table(compared | {"algorithms": [row | {"writeup": None} for row in compared["algorithms"]]})
    header = [*OURS, "published, %", "its ±", "source", "compared", "agreement", "iterations", "training time"]
    rows = []
    for cells, row in zip(shown.rows, ranked(compared["algorithms"]), strict=True):
        named = dict(zip(shown.header, cells, strict=True))
        ours = [named[column] for column in OURS]
        rows.append([*ours, *_published(found, row), f"{row['iterations']:,}", named["training time"]])
    return Table(header, rows)


def _published(found: ExperimentRecord, row: Record) -> list[str]:
    name, cell = found.experiment.published.get(row["algorithm"]), found.experiment.cell
    if name is None or cell is None:
        return ["none for this network", "", "", "", ""]
    paper = published_number(*name, cell)
    compared, ours = MODES[paper.mode]
    return [paper.accuracy, paper.meaning, paper.source, compared, agreement(row[ours]["mean"], paper)]


def curve_table(found: ExperimentRecord) -> Table:
    """Validation accuracy of each run, nearest to each quarter of its training."""
    runs: dict[str, dict[int, str]] = {}
    for row in found.curves:
        if row["validation_accuracy"]:
            runs.setdefault(row["run"], {})[int(row["iteration"])] = row["validation_accuracy"]
    header = ["validation accuracy after", *(f"{part}/{PARTS} of the iterations" for part in range(1, PARTS + 1))]
    return Table(header, [[run, *_quarters(curve)] for run, curve in runs.items()])


def _quarters(curve: dict[int, str]) -> list[str]:
    end = max(curve)
    nearest = [min(curve, key=lambda i: abs(i - end * part / PARTS)) for part in range(1, PARTS + 1)]
    return [f"{formatting.percent(float(curve[i]))} ({i:,})" for i in nearest]
