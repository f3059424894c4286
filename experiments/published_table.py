"""Our results compared with published ones, according to the meaning of the paper's ±."""

from typing import NamedTuple

from experiments.load_record import ExperimentRecord
from metaglot.report import formatting
from metaglot.report.published_results import Mode, published_results
from metaglot.report.tables import Record, Table, algorithm_cells, ranked

INTERVAL = "± is a 95% interval"
OURS = ("algorithm", "seeds", "test accuracy", "inductive")
MODES: dict[Mode | None, tuple[str, str]] = {  # by the paper's mode: its text, and our accuracy to compare
    "transductive": ("transductive", "accuracy"),
    "inductive": ("inductive", "inductive_accuracy"),
    None: ("transductive; the paper's mode is not known", "accuracy"),
}
QUARTERS = range(1, 5)  # of the training


class PublishedNumber(NamedTuple):
    """A published accuracy in percent with its ±, the meaning of that, and the source; mode is None if unknown."""

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


def agreement(ours: float, paper: PublishedNumber) -> str:
    """The difference in points or, if the paper has a 95% interval, whether ours is inside. ours: a fraction."""
    mean, _, reach = (part.strip() for part in paper.accuracy.partition("±"))
    difference = round(100 * ours - float(mean), 2)  # rounded as shown, so a bound counts as inside
    shown = f"{formatting.points(difference / 100)} points"
    if not paper.meaning.startswith(INTERVAL):
        return f"{shown}; it has no 95% interval"
    if abs(difference) <= float(reach):
        return "within the paper's interval"
    return f"{'above' if difference > 0 else 'below'} the paper's interval: {shown}"


def cell_table(record: ExperimentRecord) -> Table:
    """A row for each algorithm: our result, the published one, and whether they agree."""
    header = [*OURS, "published, %", "its ±", "source", "compared", "agreement", "iterations", "training time"]
    rows = []
    for row in ranked(record.comparison["algorithms"]):
        cells, published = algorithm_cells(row), _published_cells(record, row)
        ours = [cells[column] for column in OURS]
        rows.append([*ours, *published, f"{row['iterations']:,}", cells["training time"]])
    return Table(header, rows)


def _published_cells(record: ExperimentRecord, row: Record) -> list[str]:
    name, cell = record.experiment.published.get(row["algorithm"]), record.experiment.cell
    if name is None or cell is None:
        return ["none for this network", "", "", "", ""]
    paper = published_number(*name, cell)
    compared, ours = MODES[paper.mode]
    return [paper.accuracy, paper.meaning, paper.source, compared, agreement(row[ours]["mean"], paper)]


def curve_table(record: ExperimentRecord) -> Table:
    """Validation accuracy of each run, nearest to each quarter of its training."""
    runs: dict[str, dict[int, str]] = {}
    for row in record.curves:
        if row["validation_accuracy"]:
            runs.setdefault(row["run"], {})[int(row["iteration"])] = row["validation_accuracy"]
    header = ["validation accuracy after", *(f"{quarter}/4 of the iterations" for quarter in QUARTERS)]
    return Table(header, [[run, *_quarters(curve)] for run, curve in runs.items()])


def _quarters(curve: dict[int, str]) -> list[str]:
    end = max(curve)
    nearest = [min(curve, key=lambda i: abs(i - end * quarter / 4)) for quarter in QUARTERS]
    return [f"{formatting.percent(float(curve[i]))} ({i:,})" for i in nearest]
