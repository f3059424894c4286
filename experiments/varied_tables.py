"""The block of a varied experiment: its answer, a row for each value, and the figure."""

from experiments.load_record import ExperimentRecord
from experiments.varied_figure import figure_path
from experiments.varied_rows import Difference, VariedRow, differences, gain, reference_row, varied_rows
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.statistics.significance import no_larger_than
from metaglot.report.tables import Table, main_table


def varied_block(record: ExperimentRecord) -> list[str]:
    """The parts of the block after the command."""
    rows = varied_rows(record)
    progress = missing_runs(record, rows)
    parts = [f"**So far {progress}.**"] if progress else []
    figure = f"![{record.experiment.title}: accuracy, cosine and training time](figures/{figure_path(record).name})"
    return [*parts, answer(record, rows), figure, as_markdown(varied_table(record, rows)), _note(record)]


def missing_runs(record: ExperimentRecord, rows: list[VariedRow]) -> str | None:
    """How many of the declared runs are recorded; None if all are."""
    seeds = record.experiment.settings["seeds"]
    declared, recorded = len(record.experiment.parts()) * len(seeds), sum(len(row.accuracies) for row in rows)
    return None if recorded == declared else f"{recorded} of {declared} runs"


def answer(record: ExperimentRecord, rows: list[VariedRow]) -> str:
    """The verdicts on all rows against the reference, grouped."""
    reference = reference_row(record, rows)
    if reference is None:
        return "The reference has not been recorded yet."
    margin = reference.record.margin
    phrases = {
        "worse": "less accurate",
        "better": "more accurate",
        no_larger_than(margin): f"different by no more than {formatting.size(margin)}",
    }
    grouped: dict[str, list[str]] = {}
    for part, difference in differences(reference, rows).items():
        grouped.setdefault(phrases.get(difference.verdict, difference.verdict), []).append(row_name(record, part, rows))
    verdicts = "; ".join(f"{phrase}: {formatting.listed(names)}" for phrase, names in grouped.items())
    return f"Compared with {row_name(record, reference.part, rows)}: {verdicts or 'no other value yet'}."


def row_name(record: ExperimentRecord, part: str, rows: list[VariedRow]) -> str:
    """`c = 0.05`, or an algorithm's label."""
    (row,) = (row for row in rows if row.part == part)
    vary = record.experiment.vary
    return row.row["label"] if row.value is None or vary is None else f"{vary.symbol} = {part}"


def varied_table(record: ExperimentRecord, rows: list[VariedRow]) -> Table:
    reference = reference_row(record, rows)
    compared = differences(reference, rows) if reference else {}
    header = ["", "seeds", "test accuracy", "minus the reference, points", "95% interval", "p (Holm)", "verdict"]
    header += ["share of the gain", "cosine", "norm ratio", "training time"]
    return Table(header, [_cells(record, row, rows, reference, compared.get(row.part)) for row in rows])


def _cells(
    record: ExperimentRecord,
    row: VariedRow,
    rows: list[VariedRow],
    reference: VariedRow | None,
    difference: Difference | None,
) -> list[str]:
    table = main_table(row.record.comparison | {"algorithms": [row.row | {"writeup": None}]})
    columns = dict(zip(table.header, table.rows[0], strict=True))
    share = gain(row, rows, reference) if reference else None
    return [
        row_name(record, row.part, rows),
        columns["seeds"],
        columns["test accuracy"],
        *_difference_cells(difference),
        "" if share is None else f"{share:.0%}".replace("-", formatting.MINUS),
        *_alignment_cells(row, row is reference),
        columns["training time"],
    ]


def _difference_cells(difference: Difference | None) -> list[str]:
    if difference is None:
        return [""] * 4
    test = difference.test
    return [
        formatting.points(test.difference),
        formatting.bounds(test.ci95) if test.ci95 else "",
        "" if difference.p is None else f"{difference.p:.2g}",
        difference.verdict,
    ]


def _alignment_cells(row: VariedRow, is_reference: bool) -> list[str]:
    """The exact meta-gradient is the reference's, whose alignment.csv compares it with first order."""
    values = [None, None] if is_reference else [row.median_alignment(name) for name in ("cosine", "norm_ratio")]
    return ["exact", "exact"] if is_reference else ["" if value is None else f"{value:.3f}" for value in values]


def _note(record: ExperimentRecord) -> str:
    vary = record.experiment.vary
    symbol, reference = (vary.symbol, f"{vary.reference:g}") if vary else ("", "")
    return (
        f"{symbol} is `{vary.key if vary else ''}`; the reference is {symbol} = {reference}. Differences are paired by "
        f"seed on the same test tasks; p-values and verdicts are corrected by Holm's method over these rows, a family "
        f"declared before any result. Share of the gain: how much of the reference's gain over {symbol} = 0 a row has. "
        f"Cosine and norm ratio: of the meta-gradient with the exact one, medians over the training. Numbers: "
        f"`docs/findings/{record.name}/`."
    )


def open_lines(record: ExperimentRecord) -> list[str]:
    """What stayed open: missing runs, and inconclusive rows."""
    rows = varied_rows(record)
    reference, progress = reference_row(record, rows), missing_runs(record, rows)
    lines = [f"`{record.name}`: so far {progress}; all of them: `{record.command}`."] if progress else []
    compared = differences(reference, rows) if reference else {}
    unsure = [row_name(record, part, rows) for part, d in compared.items() if d.verdict.startswith("inconclusive")]
    if unsure and reference:
        than = row_name(record, reference.part, rows)
        lines.append(f"`{record.name}`: the difference from {than} is inconclusive for {formatting.listed(unsure)}.")
    return lines
