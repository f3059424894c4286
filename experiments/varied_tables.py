"""The block of a varied experiment: its answer, a row for each value, and the figure."""

from experiments.figures import figure_path
from experiments.load_record import ExperimentRecord
from experiments.varied_record import Difference, VariedRecord, VariedRow
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.statistics.significance import is_open
from metaglot.report.tables import Table, algorithm_cells


def varied_block(record: ExperimentRecord) -> list[str]:
    """The parts of the block after the command."""
    varied = VariedRecord(record)
    figure = f"![{record.experiment.title}: accuracy and cosine](figures/{figure_path(record).name})"
    return [answer(varied), figure, as_markdown(varied_table(varied)), _note(varied)]


def answer(varied: VariedRecord) -> str:
    """The verdicts on all rows against the reference, grouped."""
    if varied.reference is None:
        return "The reference has not been recorded yet."
    reference = varied.reference.name
    phrases = {"worse": f"Less accurate than {reference}", "better": f"More accurate than {reference}"}
    grouped: dict[str, list[str]] = {}
    for difference in varied.differences.values():
        phrase = phrases.get(difference.verdict, difference.verdict.capitalize())
        grouped.setdefault(phrase, []).append(difference.row.name)
    sentences = [f"{phrase}: {formatting.listed(names)}." for phrase, names in grouped.items()]
    return " ".join(sentences) or f"No value but {reference} has been recorded yet."


def varied_table(varied: VariedRecord) -> Table:
    header = ["", "seeds", "test accuracy", "minus the reference, points", "95% interval", "p (Holm)", "verdict"]
    header += ["share of the gain", "cosine", "norm ratio", "training time"]
    return Table(header, [_cells(varied, row) for row in varied.rows])


def _cells(varied: VariedRecord, row: VariedRow) -> list[str]:
    columns, share = algorithm_cells(row.row), varied.gain(row)
    return [
        row.name,
        columns["seeds"],
        columns["test accuracy"],
        *_difference_cells(varied.differences.get(row.part)),
        "" if share is None else f"{share:.0%}".replace("-", formatting.MINUS),
        *_alignment_cells(row, row is varied.reference),
        columns["training time"],
    ]


def _difference_cells(difference: Difference | None) -> list[str]:
    if difference is None:
        return [""] * 4
    return [
        formatting.points(difference.test.difference),
        formatting.bounds(difference.test.ci95),
        formatting.p_cell(difference.p),
        difference.verdict,
    ]


def _alignment_cells(row: VariedRow, is_reference: bool) -> list[str]:
    """The exact meta-gradient is the reference's, whose alignment.csv compares it with first order."""
    if is_reference:
        return ["exact", "exact"]
    values = [row.median_alignment(name) for name in ("cosine", "norm_ratio")]
    return ["" if value is None else f"{value:.3f}" for value in values]


def _note(varied: VariedRecord) -> str:
    symbol = varied.vary.symbol
    return (
        f"{symbol} is `{varied.vary.key}`; the reference is {symbol} = {varied.vary.reference:g}. Differences are "
        "paired by seed on the same test tasks; p-values and verdicts are corrected by Holm's method over all declared "
        "rows, also those not run. Share of the gain: how much of the reference's gain over "
        f"{symbol} = 0 a row has. Cosine and norm ratio: of the meta-gradient with the exact one, medians over the "
        "training."
    )


def open_rows(record: ExperimentRecord) -> list[str]:
    """A line that names the inconclusive rows, if there are some."""
    varied = VariedRecord(record)
    unsure = [each.row.name for each in varied.differences.values() if is_open(each.verdict)]
    if not unsure or not varied.reference:
        return []
    than = varied.reference.name
    return [f"`{record.name}`: the difference from {than} is inconclusive for {formatting.listed(unsure)}."]
