"""The original study's conclusions, each tested by one experiment, and the open questions."""

from typing import Any

from experiments.load_record import ExperimentRecord
from experiments.speed import with_benchmark
from experiments.varied_tables import open_rows
from metaglot.report import formatting
from metaglot.report.claims.evidence import Decision
from metaglot.report.markdown import claim_as_markdown
from metaglot.report.statistics.pairwise_result import pairwise_result
from metaglot.report.statistics.significance import is_open

DECIDES = {  # the experiment that tests each conclusion of the original study
    "fomaml-more-accurate": "ten-seeds",
    "fomaml-faster": "ten-seeds",
    "maml-overtakes": "sixty-thousand",
    "first-order-close": "ten-seeds",
}
MANY_PAIRS = 3
SENTENCES = {"fomaml-faster": 3, "first-order-close": 3}  # of the evidence, in README; otherwise one
Known = dict[str, ExperimentRecord]


def conclusions(known: Known) -> str:
    """Each conclusion with the verdict of the experiment that tests it."""
    return "\n\n".join(_conclusion(claim, known[name]) for claim, name in DECIDES.items())


def verdicts(known: Known) -> str:
    """One line for each conclusion: the verdict and the first sentences of the evidence."""
    return "\n".join(f"- {_verdict(claim, known[name])}" for claim, name in DECIDES.items())


def _verdict(claim: str, record: ExperimentRecord) -> str:
    if not record.has_results:
        return _untested(claim, record)
    judged = _find_claim(claim, record)
    sentences = judged["measured"].rstrip(".").split(". ")[: SENTENCES.get(claim, 1)]
    return f"{judged['statement']} **{judged['verdict'].capitalize()}.** {'. '.join(sentences)}."


def _find_claim(id: str, record: ExperimentRecord) -> dict[str, Any]:
    return next(claim for claim in claims(record) if claim["id"] == id)


def _untested(claim: str, record: ExperimentRecord) -> str:
    return f"`{claim}`: not tested; `{record.command}` would test it ({record.expected_time})."


def _conclusion(claim: str, record: ExperimentRecord) -> str:
    if not record.has_results:
        return _untested(claim, record)
    so_far, judged = record.runs_so_far(), _find_claim(claim, record)
    return f"{claim_as_markdown(judged)}\n- From: `{record.name}`{f', so far {so_far}' if so_far else ''}"


def claims(record: ExperimentRecord) -> list[dict[str, Any]]:
    return [with_benchmark(claim, record) for claim in record.comparison["claims"]]


def open_questions(known: Known) -> str:
    """Inconclusive pairs, undecided conclusions, and missing seeds and experiments, one line each."""
    with_results = [record for record in known.values() if record.has_results]
    ran = [record for record in with_results if record.experiment.is_one_comparison]
    points = [point for record in ran for part in (_open_pairs, _open_claims) for point in part(record)]
    points += [line for record in with_results if record.experiment.vary for line in open_rows(record)]
    points += [line for record in with_results for line in _open_runs(record)]
    not_run = (record for record in known.values() if not record.has_results)
    points += [f"`{record.name}` was not run: `{record.command}`, {record.expected_time}." for record in not_run]
    return "\n".join(f"- {point}" for point in points) or "No question stayed open."


def _open_pairs(record: ExperimentRecord) -> list[str]:
    """A line for each inconclusive pair; if there are many, one line that counts them."""
    pairs = [pairwise_result(pair, pair["first"]) for pair in record.comparison["pairs"]]
    unsure = [pair for pair in pairs if is_open(pair.verdict)]
    if len(unsure) > MANY_PAIRS:
        seeds = formatting.several(len(record.about["recorded"]), record.unit)
        return [f"`{record.name}`: {seeds} settled {len(pairs) - len(unsure)} of {len(pairs)} pairs of algorithms."]
    margin = record.margin
    return [f"`{record.name}`: {formatting.verdict(pair, margin)} {formatting.difference(pair)}." for pair in unsure]


def _open_claims(record: ExperimentRecord) -> list[str]:
    tested = [claim for claim in claims(record) if DECIDES[claim["id"]] == record.name]
    unsure = [claim for claim in tested if claim["verdict"] in (Decision.INCONCLUSIVE, Decision.NOT_TESTED)]
    return [f"`{record.name}`: “{claim['statement']}” is {claim['verdict']}." for claim in unsure]


def _open_runs(record: ExperimentRecord) -> list[str]:
    if not (so_far := record.runs_so_far()):
        return []
    return [f"`{record.name}`: so far {so_far}; all of them: `{record.command}`, {record.expected_time}."]
