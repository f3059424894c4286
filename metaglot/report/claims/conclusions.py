"""The original study's four conclusions, each with the study's numbers, ours, and a computed verdict."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from metaglot.report import original_study
from metaglot.report.claims.accuracy import fomaml_leads, maml_overtakes
from metaglot.report.claims.approximation import first_order_is_close
from metaglot.report.claims.evidence import Decision, Evidence, Verdict
from metaglot.report.claims.speed import fomaml_is_faster


@dataclass(frozen=True)
class Claim:
    """A conclusion of the original study, its printed numbers, and the function that tests it."""

    id: str
    statement: str
    writeup: str
    judge: Callable[[Evidence], Verdict]
    without_numbers: str | None = None  # the statement for synthetic data


CLAIMS = [
    Claim(
        "fomaml-more-accurate",
        "FOMAML is more accurate than MAML after 10,000 iterations.",
        "0.9699 against 0.9587, one seed, 32 test tasks: 776 and 767 of 800 images right. Nine images of 800 do not "
        "separate two networks (two proportions, p = 0.22), let alone two algorithms.",
        fomaml_leads,
    ),
    Claim(
        "fomaml-faster",
        "FOMAML trains 5.05% faster than MAML.",
        "23617.31 s against 24875.94 s, 5.05% less, one run of each. Data loading and validation take nearly all "
        "of these times, so they do not measure the cost of the second-order term.",
        fomaml_is_faster,
        without_numbers="FOMAML trains faster than MAML.",
    ),
    Claim(
        "maml-overtakes",
        "With more iterations MAML becomes more accurate than FOMAML.",
        "No number: the study expects it, after trainings of 10,000 iterations.",
        maml_overtakes,
    ),
    Claim(
        "first-order-close",
        "The first-order approximation is very close to MAML.",
        "No number: the study argues from piecewise linear activations.",
        first_order_is_close,
    ),
]


def claims(evidence: Evidence) -> list[dict[str, Any]]:
    """Each claim with `writeup` (the study's numbers), `measured` (ours), `verdict`, and a `command` to tell more.

    On synthetic data no claim is tested, and the study's numbers are not repeated. About a folder of images the study
    says nothing, so there is no claim.
    """
    if evidence.report.is_folder:
        return []
    real = evidence.report.dataset == original_study.DATASET
    return [
        {
            "id": claim.id,
            "statement": claim.statement if real else claim.without_numbers or claim.statement,
            "writeup": claim.writeup if real else None,
            **asdict(claim.judge(evidence) if real else _untested(evidence)),
        }
        for claim in CLAIMS
    ]


def _untested(evidence: Evidence) -> Verdict:
    measured = f"Nothing: the claim is about Omniglot, not about {evidence.report.dataset}."
    return Verdict(measured, Decision.NOT_TESTED, evidence.experiment(original_study.ITERATIONS))
