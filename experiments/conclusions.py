"""What the experiments say together: the write-up's conclusions, and what could not be settled."""

from typing import Any

from experiments.load_record import Recorded
from experiments.speed import rejudged
from metaglot.report import formatting
from metaglot.report.claims.evidence import INCONCLUSIVE, NOT_TESTED
from metaglot.report.markdown import claim_as_markdown

DECIDES = {  # the experiment that a conclusion of the write-up is about
    "fomaml-more-accurate": "ten-seeds",
    "fomaml-faster": "ten-seeds",
    "maml-overtakes": "sixty-thousand",
    "first-order-close": "ten-seeds",
}
MANY_PAIRS = 3
SENTENCES = {"fomaml-faster": 2}  # the second says which part of it is supported
Known = dict[str, Recorded]


def conclusions(known: Known) -> str:
    """Each conclusion of the write-up, as the experiment that is about it judges it."""
    return "\n\n".join(_conclusion(claim, known[name]) for claim, name in DECIDES.items())


def verdicts(known: Known) -> str:
    """The same in short, a line each: the verdict, and how what was measured begins."""
    return "\n".join(f"- {_verdict(claim, known[name])}" for claim, name in DECIDES.items())


def _verdict(claim: str, found: Recorded) -> str:
    if not found.ran:
        return _untested(claim, found)
    judged = _judged(claim, found)
    sentences = judged["measured"].rstrip(".").split(". ")[: SENTENCES.get(claim, 1)]
    return f"{judged['statement']} **{judged['verdict'].capitalize()}.** {'. '.join(sentences)}."


def _judged(claim: str, found: Recorded) -> dict[str, Any]:
    return next(one for one in claims(found) if one["id"] == claim)


def _untested(claim: str, found: Recorded) -> str:
    return f"`{claim}`: not tested; `{found.command}` would test it ({found.time})."


def _conclusion(claim: str, found: Recorded) -> str:
    if not found.ran:
        return _untested(claim, found)
    partial, judged = found.partial(), _judged(claim, found)
    return f"{claim_as_markdown(judged)}\n- From: `{found.name}`{f', so far {partial}' if partial else ''}"


def claims(found: Recorded) -> list[dict[str, Any]]:
    return [rejudged(claim, found) for claim in found.comparison["claims"]]


def unsettled(known: Known) -> str:
    """Verdicts that are none, conclusions that were not decided, seeds and experiments that are missing."""
    ran = [found for found in known.values() if found.ran]
    points = [point for found in ran for point in (*_open_pairs(found), *_open_claims(found), *_open_seeds(found))]
    points += [f"`{one.name}` was not run: `{one.command}`, {one.time}." for one in known.values() if not one.ran]
    return "\n".join(f"- {point}" for point in points) or "Nothing that was asked stayed open."


def _open_pairs(found: Recorded) -> list[str]:
    """A line for each pair; one for all of them where they are many, since the experiment's own table has each."""
    pairs = found.standings()
    unsure = [one for one in pairs if one.verdict.startswith(INCONCLUSIVE)]
    if len(unsure) > MANY_PAIRS:
        seeds = formatting.several(len(found.about["recorded"]), "seed")
        return [f"`{found.name}`: {seeds} settled {len(pairs) - len(unsure)} of {len(pairs)} pairs of algorithms."]
    return [f"`{found.name}`: {formatting.verdict(one, found.margin)} {formatting.difference(one)}." for one in unsure]


def _open_claims(found: Recorded) -> list[str]:
    mine = [claim for claim in claims(found) if DECIDES[claim["id"]] == found.name]
    unsure = [claim for claim in mine if claim["verdict"] in (INCONCLUSIVE, NOT_TESTED)]
    return [f"`{found.name}`: “{claim['statement']}” is {claim['verdict']}." for claim in unsure]


def _open_seeds(found: Recorded) -> list[str]:
    partial = found.partial()
    return [f"`{found.name}`: so far {partial}; all of them: `{found.command}`, {found.time}."] if partial else []
