"""The question that the runs were made for, and the answer that they give, in a few sentences."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.stage_configs import ReportStageConfig
from metaglot.report.statistics.pairs import Pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result

Rows = list[dict[str, Any]]
ORDERS = [("maml", False), ("fomaml", True)]


def question(report: ReportStageConfig, rows: Rows) -> str:
    """What is compared, on which task."""
    task = f"{report.task.ways}-way {report.task.shots}-shot {formatting.dataset(report.dataset)}"
    labels = [row["label"] for row in rows]
    if len(labels) == 1:
        return f"How well does {labels[0]} learn {task}?"
    if [(row["algorithm"], row["first_order"]) for row in rows] in (ORDERS, ORDERS[::-1]):
        return f"Does MAML need its second-order term on {task}?"
    which = formatting.listed(labels) if len(labels) < 5 else f"{len(labels)} algorithms"
    return f"Which of {which} learns {task} best?"


def answer(rows: Rows, pairs: list[Pair], margin: float) -> str:
    """The most accurate algorithm, and how it stands against each other one."""
    best = max(rows, key=lambda row: row["accuracy"]["mean"])
    against = [
        pairwise_result(pair, best["algorithm"])
        for pair in pairs
        if best["algorithm"] in (pair["first"], pair["second"])
    ]
    if not against:
        return f"{best['label']} answers {formatting.percent(best['accuracy']['mean'])} of the queries right."
    if len(against) == 1:
        return f"{formatting.verdict(against[0], margin)} {formatting.difference(against[0])}."
    return (
        f"{best['label']} scores highest, {formatting.percent(best['accuracy']['mean'])}. {_against(against, margin)}"
    )


def _against(against: list[PairwiseResult], margin: float) -> str:
    """The other algorithms, grouped by the verdict on them."""
    phrases = {
        "better": "It is better than {}.",
        "inconclusive": "The difference from {} is inconclusive.",
        "inconclusive (one seed)": "One seed cannot tell whether it is the better algorithm. It was compared with {}.",
    }
    grouped: dict[str, list[str]] = {}
    for one in against:
        grouped.setdefault(one.verdict, []).append(one.other)
    within = f"It differs by no more than {formatting.size(margin)} from {{}}."
    return " ".join(
        phrases.get(verdict, within).format(formatting.listed(others)) for verdict, others in grouped.items()
    )
