"""The question that the comparison answers, and the answer in a few sentences."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result
from metaglot.report.statistics.significance import is_open

Rows = list[dict[str, Any]]
BOTH_ORDERS = [("maml", False), ("fomaml", True)]


def question(report: ReportStageConfig, rows: Rows, other_test_split: str | None = None) -> str:
    """other_test_split: the file of another project's test classes, if the networks were tested on these."""
    task = f"{report.task.ways}-way {report.task.shots}-shot {formatting.dataset(report.dataset)}"
    task += ", each task from one alphabet" if report.task.characters == "alphabet" else ""
    task += f", tested on {other_test_split}," if other_test_split else ""
    labels = [row["label"] for row in rows]
    if len(labels) == 1:
        return f"How well does {labels[0]} learn {task}?"
    if [(row["algorithm"], row["first_order"]) for row in rows] in (BOTH_ORDERS, BOTH_ORDERS[::-1]):
        return f"Does MAML need its second-order term on {task}?"
    names = formatting.listed(labels) if len(labels) < 5 else f"{len(labels)} algorithms"
    return f"Which of {names} learns {task} best?"


def answer(rows: Rows, pairs: list[Pair], margin: float) -> str:
    """The most accurate algorithm, and the verdicts on the others."""
    best = max(rows, key=lambda row: row["accuracy"]["mean"])
    accuracy = formatting.percent(best["accuracy"]["mean"])
    of_best = [pair for pair in pairs if best["algorithm"] in (pair["first"], pair["second"])]
    results = [pairwise_result(pair, best["algorithm"]) for pair in of_best]
    if not results:
        return f"{best['label']} classifies {accuracy} of the queries correctly."
    if len(results) == 1:
        return f"{formatting.verdict(results[0], margin)} {formatting.difference(results[0])}."
    return f"{best['label']} scores highest, {accuracy}. {_against_others(results, margin)}"


def _against_others(results: list[PairwiseResult], margin: float) -> str:
    """The other algorithms, grouped by the verdict on them."""
    phrases = {"better": "It is better than {}.", "inconclusive": "The difference from {} is inconclusive."}
    one = f"One {results[0].unit} cannot tell whether it is the better algorithm. It was compared with {{}}."
    grouped: dict[str, list[str]] = {}
    for result in results:
        grouped.setdefault(result.verdict, []).append(result.other)
    within = f"It differs by no more than {formatting.size(margin)} from {{}}."
    return " ".join(
        phrases.get(verdict, one if is_open(verdict) else within).format(formatting.listed(others))
        for verdict, others in grouped.items()
    )
