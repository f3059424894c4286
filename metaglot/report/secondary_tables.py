"""The tables that are folded away: both uncertainties of an accuracy, and the differences in other measures."""

from typing import Any

from metaglot.evaluation.metrics import MEASURES
from metaglot.report import formatting
from metaglot.report.ranking import best_first, ranked
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import wider_interval
from metaglot.report.tables import Table

Record = dict[str, Any]
OTHERS = {measure: metric for measure, metric in MEASURES.items() if measure != "accuracy"}


def uncertainty_table(comparison: Record) -> Table:
    """Of each algorithm's accuracy, the interval over seeds beside that over the characters of the test tasks."""
    header = ["algorithm", "seeds", "mean", "over seeds", "over characters, seeds averaged"]
    return Table(header, [_uncertain(row) for row in ranked(comparison["algorithms"])])


def others_table(comparison: Record) -> Table:
    """A pair and another measure a row; fractions in percentage points, losses as they are."""
    header = ["first minus second", "measure", "difference", "95% interval", "over characters", "p (Holm)"]
    return Table(header, [_other(pair, measure) for pair in best_first(comparison) for measure in OTHERS])


def _uncertain(row: Record) -> list[str]:
    accuracy, seeds = row["accuracy"], len(row["seeds"])
    over_seeds = _percents(accuracy["ci95"]) if seeds > 1 else ""
    return [
        row["label"],
        str(seeds),
        formatting.percent(accuracy["mean"]),
        over_seeds,
        _percents(wider_interval(accuracy)),
    ]


def _percents(bounds: Any) -> str:
    low, high = bounds
    return f"{formatting.percent(low)} to {formatting.percent(high)}"


def _other(pair: Pair, measure: str) -> list[str]:
    test, said = pair["over_seeds"][measure], formatting.points if OTHERS[measure].is_fraction else _signed

    def bounds(found: Any) -> str:
        low, high = found
        return f"{said(low)} to {said(high)}"

    return [
        f"{pair['labels'][0]} {formatting.MINUS} {pair['labels'][1]}",
        OTHERS[measure].title,
        said(test["difference"]),
        bounds(test["ci95"]) if test["ci95"] else "",
        bounds(wider_interval(test)),
        "" if test["p_holm"] is None else f"{test['p_holm']:.2g}",
    ]


def _signed(difference: float) -> str:
    return f"{difference:+.4f}".replace("-", formatting.MINUS)
