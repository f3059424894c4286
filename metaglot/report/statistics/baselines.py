"""Whether meta-learning helps: each meta-learner against the baselines without it, as one family of comparisons."""

from dataclasses import asdict
from itertools import product
from typing import Any

from metaglot.report import formatting
from metaglot.report.statistics.pairs import BASELINES, Pair, correct_family, find_pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result

LABEL_FREE = "label_free"  # learns on tasks but adapts to none: it is in neither group


def against_baselines(pairs: list[Pair], margin: float) -> dict[str, Any] | None:
    """The `answer` and the comparisons, `standings`; None without a baseline or without a meta-learner."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair["first"], pair["second"])))
    learners = [name for name in names if name not in (*BASELINES, LABEL_FREE)]
    baselines = [b for b in BASELINES if b in names]
    both = list(product(learners, baselines))
    if not both:
        return None
    family = correct_family([pair for names in both if (pair := find_pair(pairs, *names))], margin)
    results = [pairwise_result(pair, learner) for pair, (learner, _) in zip(family, both, strict=True)]
    return {"answer": answer(results), "standings": [asdict(result) for result in results]}


def answer(results: list[PairwiseResult]) -> str:
    """Which meta-learners are better than every baseline, and the verdicts on the others."""
    baselines = list(dict.fromkeys(result.other for result in results))
    learners = list(dict.fromkeys(result.label for result in results))
    if any(result.p is None for result in results):
        return f"One {results[0].unit} cannot tell whether {_beat(learners, baselines)}."
    not_better = [result for result in results if result.verdict != "better"]
    if not not_better:
        every = learners[0] if len(learners) == 1 else "Every meta-learner"
        return f"{every} beats {'both baselines' if len(baselines) == 2 else f'the baseline {baselines[0]}'}."
    winners = [label for label in learners if label not in {result.label for result in not_better}]
    first = _beat(winners, baselines) if winners else "No meta-learner beats every baseline"
    return f"{first}. {_verdicts(not_better)}"


def _verdicts(results: list[PairwiseResult]) -> str:
    """A sentence for each verdict and baseline, with its meta-learners."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for result in results:
        grouped.setdefault((result.other, result.verdict), []).append(result.label)
    return " ".join(_verdict(learners, *key) for key, learners in grouped.items())


def _verdict(learners: list[str], baseline: str, verdict: str) -> str:
    if verdict == "worse":
        return f"{formatting.listed(learners)} {'is' if len(learners) == 1 else 'are'} worse than {baseline}."
    return f"{formatting.listed(learners)} against {baseline}: {verdict}."


def _beat(learners: list[str], baselines: list[str]) -> str:
    verb = "beats" if len(learners) == 1 else "beat"
    return f"{formatting.listed(learners)} {verb} {formatting.listed(baselines)}"
