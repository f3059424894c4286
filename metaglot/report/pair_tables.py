"""The tables of differences between two algorithms, in accuracy and in the other metrics."""

from collections.abc import Iterable

from metaglot.evaluation.metrics import MEASURES
from metaglot.report import formatting
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result, shown_interval
from metaglot.report.tables import Record, Table, ranked

OTHER_MEASURES = {measure: metric for measure, metric in MEASURES.items() if measure != "accuracy"}


def best_first(comparison: Record) -> list[Pair]:
    """The pairs of the best algorithm, then the pairs of the next; the order within a pair stays as recorded."""
    rank = {row["algorithm"]: number for number, row in enumerate(ranked(comparison["algorithms"]))}
    return sorted(comparison["pairs"], key=lambda pair: sorted((rank[pair["first"]], rank[pair["second"]])))


def pairs_table(comparison: Record) -> Table:
    """A row for each pair of algorithms: the difference in accuracy, its intervals, and the verdict."""
    return _accuracy_table(pairwise_result(pair, pair["first"]) for pair in best_first(comparison))


def baselines_table(comparison: Record) -> Table:
    """A row for each meta-learner against each baseline, as a separate family of comparisons."""
    baselines = comparison["baselines"]
    return _accuracy_table(PairwiseResult(**result) for result in (baselines["standings"] if baselines else []))


def others_table(comparison: Record) -> Table:
    """A row for each pair and other metric; fractions in percentage points, losses as they are."""
    header = ["first minus second", "measure", "difference", "95% interval", "over characters", "p (Holm)"]
    pairs = best_first(comparison)
    return Table(header, [_other_cells(pair, m) for pair in pairs for m in OTHER_MEASURES if m in pair["over_seeds"]])


def _accuracy_table(results: Iterable[PairwiseResult]) -> Table:
    header = ["first minus second", "accuracy, points", "95% interval", "over", "over characters", "p (Holm)"]
    return Table([*header, "verdict on the first"], [_accuracy_cells(result) for result in results])


def _accuracy_cells(result: PairwiseResult) -> list[str]:
    is_small = result.within_margin and result.verdict in ("better", "worse")
    return [
        formatting.minus(result.label, result.other),
        formatting.points(result.difference),
        formatting.bounds((result.low, result.high)),
        f"the characters of one {result.unit}" if result.p is None else formatting.several(result.seeds, result.unit),
        formatting.bounds(result.over_characters),
        formatting.p_cell(result.p),
        result.verdict + (", within the margin" if is_small else ""),
    ]


def _other_cells(pair: Pair, measure: str) -> list[str]:
    test, metric = pair["over_seeds"][measure], OTHER_MEASURES[measure]
    form = formatting.points if metric.is_fraction else formatting.signed_loss
    return [
        formatting.minus(*pair["labels"]),
        metric.title,
        form(test["difference"]),
        formatting.bounds(test["ci95"], form),
        formatting.bounds(shown_interval(test), form),
        formatting.p_cell(test["p_holm"]),
    ]
