"""The two claims about accuracy: FOMAML leads after 10,000 iterations, and MAML after more."""

import numpy as np

from metaglot.report import formatting, original_study
from metaglot.report.claims.evidence import Decision, Evidence, Verdict, in_another_setting
from metaglot.report.claims.validation_lead import ValidationLead, validation_leads
from metaglot.report.statistics.pairwise_result import PairwiseResult
from metaglot.report.statistics.significance import is_open

LONGER = 60_000
NOT_BOTH = "MAML and FOMAML were not both trained, for as many iterations."
NO_LEAD = "No validation was made at iterations that both reached."


def fomaml_leads(evidence: Evidence) -> Verdict:
    """FOMAML against MAML, in the original study's setting and after the same number of iterations."""
    command, result = evidence.experiment(original_study.ITERATIONS), evidence.pairwise_result("fomaml")
    if result is None:
        return Verdict(NOT_BOTH, Decision.NOT_TESTED, command)
    departures = evidence.departures()
    if evidence.iterations() != original_study.ITERATIONS:
        departures.append(f"train.iterations {evidence.iterations()}, not {original_study.ITERATIONS}")
    if departures:
        return Verdict(_elsewhere(result, departures), Decision.NOT_TESTED, command)
    return _judge(evidence, result, f"{formatting.difference(result)}. {_few_tasks(evidence)}")


def maml_overtakes(evidence: Evidence) -> Verdict:
    """MAML against FOMAML after more iterations; after fewer, only the validation curves are shown."""
    command, result = evidence.experiment(LONGER), evidence.pairwise_result("maml")
    if result is None:
        return Verdict(NOT_BOTH, Decision.NOT_TESTED, command)
    if departures := evidence.departures():
        return Verdict(_elsewhere(result, departures), Decision.NOT_TESTED, command)
    leads = validation_leads(evidence.of(False), evidence.of(True))
    curves = _on_validation(leads)
    if evidence.iterations() <= original_study.ITERATIONS:
        return Verdict(f"This run is too short to tell. So far: {curves}", Decision.NOT_TESTED, command)
    measured = f"After {evidence.iterations():,} iterations {formatting.difference(result)}. {curves}"
    verdict = _judge(evidence, result, measured)
    return _in_part(verdict, leads) if verdict.verdict == Decision.SUPPORTED else verdict


def _judge(evidence: Evidence, result: PairwiseResult, measured: str) -> Verdict:
    """The verdict on a claim that one algorithm is better than another."""
    if is_open(result.verdict):
        return Verdict(measured, Decision.INCONCLUSIVE, evidence.more_seeds())
    if result.verdict not in ("better", "worse"):
        measured = f"{formatting.verdict(result, evidence.report.margin)} {measured}"
    return Verdict(measured, Decision.SUPPORTED if result.verdict == "better" else Decision.NOT_SUPPORTED)


def _elsewhere(result: PairwiseResult, departures: list[str]) -> str:
    return f"{in_another_setting(departures)}, {formatting.difference(result)}."


def _in_part(verdict: Verdict, leads: list[ValidationLead]) -> Verdict:
    """To overtake, MAML must also have been behind: otherwise the claim is supported only in part."""
    if not leads:
        part = f"who was ahead after {original_study.ITERATIONS:,} was not observed"
    elif leads[0].points <= 0:
        return verdict
    else:
        part = f"it led already after {leads[0].iteration:,}, so it did not overtake"
    return Verdict(f"{verdict.measured} In part: MAML is more accurate in the end, but {part}.", verdict.verdict)


def _on_validation(leads: list[ValidationLead]) -> str:
    if not leads:
        return NO_LEAD
    texts = [f"{formatting.points(lead.points)} points after {lead.iteration:,} iterations" for lead in leads]
    return f"On the validation tasks MAML minus FOMAML is {formatting.listed(texts)}, as a mean over seeds."


def _few_tasks(evidence: Evidence) -> str:
    """How much a score varies with the original study's number of test tasks, from our spread over tasks."""
    runs = evidence.both
    tasks = runs[0].result.writeup.tasks
    few = [run.result.writeup.accuracy for run in runs]
    spread = 1.96 * np.mean([run.result.accuracy.std for run in runs]) / np.sqrt(tasks)
    return (
        f"On the first {tasks} of our tasks the networks score {formatting.percent(min(few))} to "
        f"{formatting.percent(max(few))}; with other draws of {tasks} tasks a score varies by \N{PLUS-MINUS SIGN}"
        f"{100 * spread:.2f} points."
    )
