"""The claim that first order is "very close": the cosine and norm ratio of the two meta-gradients along training.

The claim is about MAML, so only the runs of MAML and FOMAML count, although ANIL and Meta-SGD record the same numbers.

The original study gives no number for "very close"; ours were chosen before any result was seen. A small step at
cosine c to the gradient lowers the loss by c times as much as a step along the gradient: 5% less at 0.95. Adam divides
by the gradient's norm, but a vector whose norm is a tenth too large or too small is no close approximation either.
Within both bounds the approximation misses at most 0.35 of the exact gradient's norm (`missing_norm`).
"""

import numpy as np

from metaglot.core.common.run_records import WHOLE_NETWORK
from metaglot.report import formatting
from metaglot.report.claims.evidence import Decision, Evidence, Verdict, in_another_setting
from metaglot.report.load_runs import LoadedRun
from metaglot.report.original_study import ITERATIONS

COSINE, RATIO = 0.95, (0.9, 1.1)


def first_order_is_close(evidence: Evidence) -> Verdict:
    """Supported if the medians over training are close in every run, not supported if in none.

    Tested in the original study's setting, over its number of iterations or more.
    """
    runs = [run for run in evidence.both if run.alignment]
    if not runs:
        return Verdict(
            "No run of MAML or FOMAML measured both meta-gradients.",
            Decision.NOT_TESTED,
            evidence.experiment(ITERATIONS),
        )
    departures, fewest = evidence.departures(), min(run.iterations for run in runs)
    if fewest < ITERATIONS:
        departures.append(f"train.iterations {fewest}, not {ITERATIONS} or more")
    if departures:
        measured = f"{in_another_setting(departures)}. {_measured(runs)}"
        return Verdict(measured, Decision.NOT_TESTED, evidence.experiment(ITERATIONS))
    close = [_is_close(run) for run in runs]
    verdict = Decision.SUPPORTED if all(close) else Decision.INCONCLUSIVE if any(close) else Decision.NOT_SUPPORTED
    return Verdict(_measured(runs), verdict)


def missing_norm(cosine: float, ratio: float) -> float:
    """The norm of the exact gradient minus its approximation, over the exact norm: by the law of cosines."""
    return float(np.sqrt(max(0.0, 1 + ratio**2 - 2 * ratio * cosine)))


def whole_network(run: LoadedRun) -> np.ndarray:
    """[measurements, 2]: cosine and norm ratio over all parameters."""
    return np.array([(a.cosine, a.norm_ratio) for a in run.alignment if a.layer == WHOLE_NETWORK])


def _is_close(run: LoadedRun) -> bool:
    cosine, ratio = np.median(whole_network(run), axis=0)
    return bool(cosine >= COSINE and RATIO[0] <= ratio <= RATIO[1])


def _largest_missing_norm() -> float:
    """The largest missing norm within the bounds: at one end of RATIO, since the square is convex in the ratio."""
    return max(missing_norm(COSINE, ratio) for ratio in RATIO)


def _measured(runs: list[LoadedRun]) -> str:
    values = np.concatenate([whole_network(run) for run in runs])
    cosine, ratio = np.median(values, axis=0)
    (low, smallest), (high, largest) = values.min(axis=0), values.max(axis=0)
    return (
        f"On the validation tasks of {formatting.several(len(runs), 'run')}, the median cosine between the first-order "
        f"and the second-order meta-gradient is {cosine:.3f} ({low:.3f} to {high:.3f}). The median norm ratio is "
        f"{ratio:.2f} ({smallest:.2f} to {largest:.2f}). The part of the exact gradient that FOMAML misses has "
        f"{missing_norm(cosine, ratio):.2f} of its norm. We call an approximation “very close” if in every run the "
        f"median cosine is at least {COSINE} and the median norm ratio within {RATIO[0]} to {RATIO[1]}; it then misses "
        f"at most {_largest_missing_norm():.2f} of the norm."
    )
