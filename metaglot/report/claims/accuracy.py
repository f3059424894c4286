"""The claims about accuracy: FOMAML's lead after 10,000 iterations, and MAML's after more."""

import numpy as np

from metaglot.report import formatting, original_study
from metaglot.report.claims.evidence import (
    INCONCLUSIVE,
    NOT_SUPPORTED,
    NOT_TESTED,
    SUPPORTED,
    Evidence,
    Verdict,
)
from metaglot.report.claims.validation_lead import ValidationLead, validation_leads
from metaglot.report.statistics.pairwise_result import PairwiseResult

LONGER = 60_000
NOT_BOTH = "MAML and FOMAML were not both trained, for as many iterations."
NO_LEAD = "No validation was made at iterations that both reached."


def fomaml_leads(evidence: Evidence) -> Verdict:
    """FOMAML's standing against MAML, in the original study's setting and after as many iterations."""
    command, standing = evidence.experiment(original_study.ITERATIONS), evidence.pairwise_result("fomaml")
    if standing is None:
        return Verdict(NOT_BOTH, NOT_TESTED, command)
    wrong = evidence.departures()
    if evidence.iterations() != original_study.ITERATIONS:
        wrong.append(f"train.iterations {evidence.iterations()}, not {original_study.ITERATIONS}")
    if wrong:
        return Verdict(_elsewhere(standing, wrong), NOT_TESTED, command)
    return _judged(evidence, standing, f"{formatting.difference(standing)}. {_few_tasks(evidence)}")


def maml_overtakes(evidence: Evidence) -> Verdict:
    """MAML's standing after more iterations; fewer only show which way the validation curves go."""
    command, standing = evidence.experiment(LONGER), evidence.pairwise_result("maml")
    if standing is None:
        return Verdict(NOT_BOTH, NOT_TESTED, command)
    if wrong := evidence.departures():
        return Verdict(_elsewhere(standing, wrong), NOT_TESTED, command)
    led = validation_leads(evidence.of(False), evidence.of(True))
    curves = _on_validation(led)
    if evidence.iterations() <= original_study.ITERATIONS:
        return Verdict(f"This run is too short to tell. So far: {curves}", NOT_TESTED, command)
    judged = _judged(evidence, standing, _after(evidence, standing, curves))
    return _in_part(judged, led) if judged.verdict == SUPPORTED else judged


def _judged(evidence: Evidence, standing: PairwiseResult, measured: str) -> Verdict:
    """A claim that an algorithm is better than another, by its standing."""
    if standing.verdict.startswith(INCONCLUSIVE):
        return Verdict(measured, INCONCLUSIVE, evidence.more_seeds())
    return Verdict(measured, SUPPORTED if standing.verdict == "better" else NOT_SUPPORTED)


def _elsewhere(standing: PairwiseResult, wrong: list[str]) -> str:
    return f"In a setting other than the claim's ({'; '.join(wrong)}), {formatting.difference(standing)}."


def _after(evidence: Evidence, standing: PairwiseResult, curves: str) -> str:
    return f"After {evidence.iterations():,} iterations {formatting.difference(standing)}. {curves}"


def _in_part(finding: Verdict, led: list[ValidationLead]) -> Verdict:
    """Being ahead in the end is a part of overtaking; having been behind is the other."""
    if not led:
        part = f"who was ahead after {original_study.ITERATIONS:,} was not observed"
    elif led[0].points <= 0:
        return finding
    else:
        part = f"it led already after {led[0].iteration:,}, so that it did not become so"
    return Verdict(f"{finding.measured} In part: MAML is more accurate in the end, but {part}.", finding.verdict)


def _on_validation(led: list[ValidationLead]) -> str:
    if not led:
        return NO_LEAD
    said = [f"{formatting.points(lead.points)} points after {lead.iteration:,} iterations" for lead in led]
    return f"On the validation tasks MAML minus FOMAML is {formatting.listed(said)}, as a mean over seeds."


def _few_tasks(evidence: Evidence) -> str:
    """What the original study's number of test tasks can tell, from our own spread over tasks."""
    runs = evidence.both
    tasks = runs[0].result.writeup.tasks
    few = [run.result.writeup.accuracy for run in runs]
    spread = 1.96 * np.mean([run.result.accuracy.std for run in runs]) / np.sqrt(tasks)
    return (
        f"On the first {tasks} of our tasks the networks score {formatting.percent(min(few))} to "
        f"{formatting.percent(max(few))}; with other draws of {tasks} tasks a score varies by \N{PLUS-MINUS SIGN}"
        f"{100 * spread:.2f} points."
    )
