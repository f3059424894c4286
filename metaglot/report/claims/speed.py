"""The claim about speed: decided by `make bench`, where both take turns; a pipeline's times only stand beside it."""

from typing import Any

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
from metaglot.report.original_study import SAVED
from metaglot.report.rows import overlapping

BENCH = "make bench"


def fomaml_is_faster(evidence: Evidence) -> Verdict:
    """What first order saves of an iteration, by engine; supported where every engine's interval is above 0.

    The verdict is on whether it is faster; of the printed size it is said which intervals hold it.
    """
    times = _pipeline_times(evidence)
    saved = (evidence.bench or {}).get("first_order_saves")
    if not saved:
        return Verdict(times, NOT_TESTED, BENCH)
    engines = [f"{_share(share)} with the {engine} engine" for engine, share in saved.items()]
    where = (evidence.bench or {}).get("machine", "an unnamed machine")
    less = f"Timed alternately by `{BENCH}` on {where}, a FOMAML iteration takes less time than a MAML iteration: "
    measured = f"{less}{formatting.listed(engines)}. {_of_that_size(saved)} {times}"
    if all(share["low"] > 0 for share in saved.values()):
        return Verdict(measured, SUPPORTED)
    slower = all(share["high"] < 0 for share in saved.values())
    return Verdict(measured, NOT_SUPPORTED if slower else INCONCLUSIVE, None if slower else BENCH)


def _of_that_size(saved: dict[str, Any]) -> str:
    """Whether the printed share lies in what was measured."""
    inside = [engine for engine, share in saved.items() if share["low"] <= SAVED <= share["high"]]
    outside = [engine for engine in saved if engine not in inside]
    printed = f"The printed {formatting.percent(SAVED)} is"
    if not outside:
        return f"{printed} inside every interval."
    where = f"inside the interval of {formatting.listed(inside)} and outside" if inside else "outside"
    return (
        f"{printed} {where} the interval of {formatting.listed(outside)}. The verdict only says that FOMAML is faster."
    )


def _share(share: dict[str, Any]) -> str:
    low, high = (100 * share[end] for end in ("low", "high"))
    return f"{100 * share['median']:.1f}% (95% interval {low:.1f}% to {high:.1f}%)"


def _pipeline_times(evidence: Evidence) -> str:
    """The mean training time of each on each device, marked where another training ran meanwhile."""
    runs = evidence.both
    if not runs:
        return "Neither was trained here."
    groups: dict[tuple[str, str], list[LoadedRun]] = {}
    for run in runs:
        groups.setdefault((run.result.label, run.record.device), []).append(run)
    times = [_mean_time(label, device, group, runs) for (label, device), group in groups.items()]
    return f"Training times of this pipeline, which do not count for the verdict: {'; '.join(times)}."


def _mean_time(label: str, device: str, group: list[LoadedRun], runs: list[LoadedRun]) -> str:
    mean = sum(run.record.train_seconds for run in group) / len(group)
    mark = ", while other trainings ran" if any(overlapping(run, runs) for run in group) else ""
    return f"{label} {formatting.seconds(mean)} (mean of {formatting.several(len(group), 'run')} on {device}{mark})"
