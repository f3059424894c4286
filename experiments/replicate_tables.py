"""The block of an experiment of replicates: rows and pairs over replicates, effect sizes, and what would settle."""

from itertools import compress

import numpy as np

from experiments.figures import figure_path
from experiments.load_record import ExperimentRecord
from experiments.overlapping_splits import corrected_verdicts, shared_fraction
from experiments.power import replicates_needed
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.pair_tables import best_first, pairs_table
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.significance import is_open
from metaglot.report.tables import Record, Table, main_table, more_metrics_table, ranked

DESIGN = (
    "Over replicates: each draws its split of the characters, initialisation, training tasks and test tasks from its "
    "number. Pairs are compared on the same tasks within a replicate. {} Cohen's d is the mean difference divided by "
    "the standard deviation of the differences. Before the declared number of replicates is reached, the verdicts "
    "are interim: p-values are not corrected for looking more than once."
)
OVERLAPPING = (
    "An interval over replicates is about other splits of these characters. The splits overlap, so for characters that "
    "are not among them it is too narrow."
)
SAME_CHARACTERS = "The test characters are the same in every replicate, so an interval over replicates is about these."


def replicate_tables(record: ExperimentRecord) -> list[str]:
    """The algorithms and their pairs over replicates, and the figure of both."""
    compared = record.comparison
    tables = [main_table(compared, "replicate"), more_metrics_table(compared)]
    design = DESIGN.format(SAME_CHARACTERS if shared_fraction(record.split) is None else OVERLAPPING)
    figure = f"![{record.experiment.title}](figures/{figure_path(record).name})"
    parts = [design, figure, *(as_markdown(table) for table in tables if table)]
    if compared["pairs"]:
        parts += [settled(record), as_markdown(differences_table(compared, shared_fraction(record.split)))]
    return parts


def differences_table(compared: Record, fraction: float | None) -> Table:
    """The table of pairs, with Cohen's d, the corrected verdict and the replicates that an open pair needs.

    fraction: as in `corrected_verdicts`; None leaves its column out, as does any column that no pair fills.
    """
    table, pairs = pairs_table(compared), best_first(compared)
    corrected = [[verdict] for verdict in _corrected(pairs, compared["margin"], fraction)] or [[]] * len(pairs)
    header = [*table.header[:-1], "Cohen's d", table.header[-1], *["corrected for overlap"] * len(corrected[0])]
    rows = [
        [*cells[:-1], _effect(pair), cells[-1], *judged, _needed(pair, compared)]
        for cells, pair, judged in zip(table.rows, pairs, corrected, strict=True)
    ]
    return _filled_columns(Table([*header, "replicates to settle it"], rows))


def _filled_columns(table: Table) -> Table:
    filled = [any(column) for column in zip(*table.rows, strict=True)]
    return Table([*compress(table.header, filled)], [[*compress(row, filled)] for row in table.rows])


def settled(record: ExperimentRecord) -> str:
    """How many pairs have a verdict, also if the test is corrected for splits that overlap."""
    pairs = best_first(record.comparison)
    verdicts = [pair["verdict"] for pair in pairs]
    line = f"Settled (not inconclusive): {_settled(verdicts)} of {formatting.several(len(pairs), 'pair')}"
    corrected = _corrected(pairs, record.margin, shared_fraction(record.split))
    if not corrected:
        return f"{line}."
    line += f"; corrected for splits that overlap (Nadeau and Bengio 2003), {_settled(corrected)}."
    return " ".join([line, *_left_open(record.comparison, pairs, corrected)])


def _left_open(compared: Record, pairs: list[Pair], corrected: list[str]) -> list[str]:
    """A sentence on the best algorithm's verdicts that do not stand after the correction, if there are some."""
    best = ranked(compared["algorithms"])[0]["label"]
    both = zip(pairs, corrected, strict=True)
    reopened = [pair["labels"] for pair, verdict in both if is_open(verdict) and not is_open(pair["verdict"])]
    others = [label for labels in reopened if best in labels for label in labels if label != best]
    return [f"So corrected, {best}'s difference from {formatting.listed(others)} is inconclusive."] if others else []


def _corrected(pairs: list[Pair], margin: float, fraction: float | None) -> list[str]:
    """The corrected verdicts; none for one replicate, or where the replicates do not draw the test characters."""
    if fraction is None or len(pairs[0]["by_seed"]) < 2:
        return []
    return corrected_verdicts([accuracy_differences(pair) for pair in pairs], margin, fraction)


def _settled(verdicts: list[str]) -> int:
    return sum(not is_open(verdict) for verdict in verdicts)


def cohens_d(pair: Pair) -> float | None:
    """Of paired differences in accuracy; None for one replicate, or differences that are all equal."""
    differences = accuracy_differences(pair)
    deviation = differences.std(ddof=1) if len(differences) > 1 else 0
    return float(differences.mean() / deviation) if deviation else None


def accuracy_differences(pair: Pair) -> np.ndarray:
    return np.array([replicate["accuracy"]["difference"] for replicate in pair["by_seed"]])


def _effect(pair: Pair) -> str:
    effect = cohens_d(pair)
    return "" if effect is None else f"{effect:+.2f}".replace("-", formatting.MINUS)


def _needed(pair: Pair, compared: Record) -> str:
    differences = accuracy_differences(pair)
    if not is_open(pair["verdict"]) or len(differences) < 2:
        return ""
    number = replicates_needed(differences, compared["margin"], len(compared["pairs"]))
    return "more than 1,000" if number is None else f"{number:,}"
