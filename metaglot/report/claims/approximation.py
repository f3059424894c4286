"""The claim that first order is "very close": the angle and norms of the two meta-gradients along training.

ANIL and Meta-SGD measure the like of themselves; the claim is about MAML, and only its and FOMAML's runs count.

The original study gives no number for "very close"; ours were fixed before looking. A step of given length along a
direction at cosine c to the gradient lowers the loss, to first order, by c times what it would along the gradient: at
0.95 it gives away 5%. Adam takes a gradient's norm out, but a vector a tenth too long or short is no close
approximation either. Within both bounds what is left out is at most 0.35 of the exact gradient's norm (`left_out`).
"""

import numpy as np

from metaglot.report import formatting
from metaglot.report.claims.evidence import (
    INCONCLUSIVE,
    NOT_SUPPORTED,
    NOT_TESTED,
    SUPPORTED,
    Evidence,
    Verdict,
)
from metaglot.report.load_runs import LoadedRun
from metaglot.report.original_study import ITERATIONS

COSINE, RATIO = 0.95, (0.9, 1.1)


def first_order_is_close(evidence: Evidence) -> Verdict:
    """Supported where the median over the measured iterations is close in every run, not where it is in none.

    In the original study's setting, over its training or a longer one.
    """
    runs = [run for run in evidence.both if run.alignment]
    if not runs:
        return Verdict(
            "No run of MAML or FOMAML measured both meta-gradients.", NOT_TESTED, evidence.experiment(ITERATIONS)
        )
    wrong = evidence.departures()
    if evidence.iterations() < ITERATIONS:
        wrong.append(f"train.iterations {evidence.iterations()}, not {ITERATIONS} or more")
    if wrong:
        setting = f"In a setting other than the claim's ({'; '.join(wrong)}). "
        return Verdict(setting + _measured(runs), NOT_TESTED, evidence.experiment(ITERATIONS))
    close = [_is_close(run) for run in runs]
    verdict = SUPPORTED if all(close) else INCONCLUSIVE if any(close) else NOT_SUPPORTED
    return Verdict(_measured(runs), verdict)


def left_out(cosine: float, ratio: float) -> float:
    """The norm of the exact gradient minus its approximation, over the exact one's: by the law of cosines."""
    return float(np.sqrt(max(0.0, 1 + ratio**2 - 2 * ratio * cosine)))


def whole(run: LoadedRun) -> np.ndarray:
    """[measurements, 2]: cosine and norm ratio of the whole meta-gradients."""
    return np.array([(a.cosine, a.norm_ratio) for a in run.alignment if a.layer == "all"])


def _is_close(run: LoadedRun) -> bool:
    cosine, ratio = np.median(whole(run), axis=0)
    return bool(cosine >= COSINE and RATIO[0] <= ratio <= RATIO[1])


def _most() -> float:
    """The most that is left out within the bounds: at one of the ends, since the square is convex in the ratio."""
    return max(left_out(COSINE, ratio) for ratio in RATIO)


def _measured(runs: list[LoadedRun]) -> str:
    (cosine, ratio), values = np.median(both := np.concatenate([whole(run) for run in runs]), axis=0), both
    (low, shorter), (high, longer) = values.min(axis=0), values.max(axis=0)
    return (
        f"On the validation tasks of {formatting.several(len(runs), 'run')}, the median cosine between the first-order "
        f"and the second-order meta-gradient is {cosine:.3f} ({low:.3f} to {high:.3f}). The median norm ratio is "
        f"{ratio:.2f} ({shorter:.2f} to {longer:.2f}). The part of the exact gradient that FOMAML misses has "
        f"{left_out(cosine, ratio):.2f} of its norm. We call an approximation “very close” if in every run the median "
        f"cosine is at least {COSINE} and the median norm ratio within {RATIO[0]} to {RATIO[1]}; it then misses at "
        f"most {_most():.2f} of the norm."
    )
