"""Whether learning to learn is worth its while: each meta-learner against the baselines that do not, as one family."""

from dataclasses import asdict
from typing import Any

from metaglot.report import formatting
from metaglot.report.statistics.pairs import BASELINES, Pair, correct_family, find_pair
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result


def against_baselines(pairs: list[Pair], margin: float) -> dict[str, Any] | None:
    """The `answer` and each meta-learner's `standings`; None where no baseline, or no meta-learner, is compared."""
    names = list(dict.fromkeys(name for pair in pairs for name in (pair["first"], pair["second"])))
    asked = [(one, base) for one in names if one not in BASELINES for base in BASELINES if base in names]
    if not asked:
        return None
    compared = correct_family([pair for one in asked if (pair := find_pair(pairs, *one))], margin)
    standings = [pairwise_result(pair, one) for pair, (one, _) in zip(compared, asked, strict=True)]
    return {"answer": answer(standings), "standings": [asdict(found) for found in standings]}


def answer(standings: list[PairwiseResult]) -> str:
    """In a sentence or two, which meta-learners are better than every baseline, and which are not than which."""
    against = list(dict.fromkeys(one.other for one in standings))
    learners = list(dict.fromkeys(one.label for one in standings))
    if any(one.p is None for one in standings):
        compared = f"{formatting.listed(learners)} {_beat(learners)} {formatting.listed(against)}"
        return f"One seed cannot tell whether {compared}."
    fell_short = [one for one in standings if one.verdict != "better"]
    if not fell_short:
        return f"{_every(learners)} {'both baselines' if len(against) == 2 else f'the baseline {against[0]}'}."
    open_ = [f"{one.label} against {one.other} is {one.verdict}" for one in fell_short]
    won = [label for label in learners if label not in {one.label for one in fell_short}]
    whole = (
        f"{formatting.listed(won)} {_beat(won)} {formatting.listed(against)}"
        if won
        else "No meta-learner beats every baseline"
    )
    return f"{whole}; {formatting.listed(open_)}."


def _every(learners: list[str]) -> str:
    return f"{learners[0]} beats" if len(learners) == 1 else "Every meta-learner beats"


def _beat(learners: list[str]) -> str:
    return "beats" if len(learners) == 1 else "beat"
