"""The original study's conclusions, each judged by one experiment, and the questions that stay open."""

from typing import Any

from experiments.load_record import ExperimentRecord
from experiments.speed import with_benchmark
from metaglot.report import formatting
from metaglot.report.claims.evidence import Decision
from metaglot.report.markdown import claim_as_markdown

DECIDES = {  # the experiment that tests each conclusion of the original study
    "fomaml-more-accurate": "ten-seeds",
    "fomaml-faster": "ten-seeds",
    "maml-overtakes": "sixty-thousand",
    "first-order-close": "ten-seeds",
}
MANY_PAIRS = 3
SENTENCES = {"fomaml-faster": 2, "first-order-close": 3}  # else the first one alone
Known = dict[str, ExperimentRecord]


def conclusions(known: Known) -> str:
    """Each conclusion with its verdict, by the experiment that tests it."""
    return "\n\n".join(_conclusion(claim, known[name]) for claim, name in DECIDES.items())


def verdicts(known: Known) -> str:
    """The same in one line each: the verdict and the first sentence of the evidence."""
    return "\n".join(f"- {_verdict(claim, known[name])}" for claim, name in DECIDES.items())


def _verdict(claim: str, found: ExperimentRecord) -> str:
    if not found.has_results:
        return _untested(claim, found)
    judged = _judged(claim, found)
    sentences = judged["measured"].rstrip(".").split(". ")[: SENTENCES.get(claim, 1)]
    return f"{judged['statement']} **{judged['verdict'].capitalize()}.** {'. '.join(sentences)}."


def _judged(claim: str, found: ExperimentRecord) -> dict[str, Any]:
    return next(one for one in claims(found) if one["id"] == claim)


def _untested(claim: str, found: ExperimentRecord) -> str:
    return f"`{claim}`: not tested; `{found.command}` would test it ({found.expected_time})."


def _conclusion(claim: str, found: ExperimentRecord) -> str:
    if not found.has_results:
        return _untested(claim, found)
    partial, judged = found.seeds_so_far(), _judged(claim, found)
    return f"{claim_as_markdown(judged)}\n- From: `{found.name}`{f', so far {partial}' if partial else ''}"


def claims(found: ExperimentRecord) -> list[dict[str, Any]]:
    return [with_benchmark(claim, found) for claim in found.comparison["claims"]]


def open_questions(known: Known) -> str:
    """Inconclusive pairs, undecided conclusions, and missing seeds and experiments, one line each."""
    ran = [found for found in known.values() if found.has_results]
    points = [point for found in ran for point in (*_open_pairs(found), *_open_claims(found), *_open_seeds(found))]
    points += [
        f"`{one.name}` was not run: `{one.command}`, {one.expected_time}."
        for one in known.values()
        if not one.has_results
    ]
    return "\n".join(f"- {point}" for point in points) or "No question stayed open."


def _open_pairs(found: ExperimentRecord) -> list[str]:
    """A line for each inconclusive pair; if there are many, one line that counts them."""
    pairs = found.pairwise_results()
    unsure = [one for one in pairs if one.verdict.startswith(Decision.INCONCLUSIVE)]
    if len(unsure) > MANY_PAIRS:
        seeds = formatting.several(len(found.about["recorded"]), "seed")
        return [f"`{found.name}`: {seeds} settled {len(pairs) - len(unsure)} of {len(pairs)} pairs of algorithms."]
    return [f"`{found.name}`: {formatting.verdict(one, found.margin)} {formatting.difference(one)}." for one in unsure]


def _open_claims(found: ExperimentRecord) -> list[str]:
    mine = [claim for claim in claims(found) if DECIDES[claim["id"]] == found.name]
    unsure = [claim for claim in mine if claim["verdict"] in (Decision.INCONCLUSIVE, Decision.NOT_TESTED)]
    return [f"`{found.name}`: “{claim['statement']}” is {claim['verdict']}." for claim in unsure]


def _open_seeds(found: ExperimentRecord) -> list[str]:
    partial = found.seeds_so_far()
    return (
        [f"`{found.name}`: so far {partial}; all of them: `{found.command}`, {found.expected_time}."] if partial else []
    )
