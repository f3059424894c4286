"""Our numbers beside published ones: whether they agree, by what the paper's ± means."""

from typing import NamedTuple

from experiments.load_record import Recorded
from metaglot.report import formatting
from metaglot.report.published_results import CELLS, PUBLISHED, Mode
from metaglot.report.ranking import ranked
from metaglot.report.tables import Record, Table, main_table

INTERVAL = "± is a 95% interval"
OURS = ("algorithm", "seeds", "test accuracy", "inductive")
MODES: dict[Mode | None, tuple[str, str]] = {  # by the published protocol: which of our accuracies compares, by name
    "transductive": ("transductive", "accuracy"),
    "inductive": ("inductive", "inductive_accuracy"),
    None: ("transductive; the paper's not known", "accuracy"),
}
PARTS = 4  # of a training, at whose ends a curve is shown


class Printed(NamedTuple):
    """What a paper printed: accuracy in percent, with its ± where it has one, what that means, and the source.

    mode: whether its queries saw each other; None where that is not known.
    """

    accuracy: str
    meaning: str
    source: str
    mode: Mode | None


def printed(method: str, network: str, cell: str) -> Printed:
    """A published accuracy; KeyError where there is none of that name."""
    for spread in PUBLISHED:
        for result in spread.results:
            if (result.method, result.network) == (method, network):
                return Printed(result.accuracies[CELLS.index(cell)], spread.meaning, result.source, result.mode)
    raise KeyError((method, network))


def agreement(ours: float, found: Printed) -> str:
    """ours: a fraction. Only an interval can be agreed with; to other numbers there is a distance."""
    mean, _, reach = (part.strip() for part in found.accuracy.partition("±"))
    difference = round(100 * ours - float(mean), 2)  # as it is shown: what lies on an edge lies within
    shown = f"{formatting.points(difference / 100)} points"
    if not found.meaning.startswith(INTERVAL):
        return f"{shown}; it has no 95% interval"
    if abs(difference) <= float(reach):
        return "within the paper's interval"
    return f"{'above' if difference > 0 else 'below'} the paper's interval: {shown}"


def cell_table(found: Recorded) -> Table:
    """An algorithm a row: ours as the report shows it, then what was published and whether they agree."""
    compared = found.comparison
    shown = main_table(compared | {"algorithms": [row | {"writeup": None} for row in compared["algorithms"]]})
    header = [*OURS, "published, %", "its ±", "source", "compared", "agreement", "iterations", "training time"]
    rows = []
    for cells, row in zip(shown.rows, ranked(compared["algorithms"]), strict=True):
        named = dict(zip(shown.header, cells, strict=True))
        ours = [named[column] for column in OURS]
        rows.append([*ours, *_published(found, row), f"{row['iterations']:,}", named["training time"]])
    return Table(header, rows)


def _published(found: Recorded, row: Record) -> list[str]:
    name, cell = found.experiment.published.get(row["algorithm"]), found.experiment.cell
    if name is None or cell is None:
        return ["none for this network", "", "", "", ""]
    paper = printed(*name, cell)
    compared, ours = MODES[paper.mode]
    return [paper.accuracy, paper.meaning, paper.source, compared, agreement(row[ours]["mean"], paper)]


def curve_table(found: Recorded) -> Table:
    """Validation accuracy of each run, at the validations nearest to the quarters of its training."""
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
