"""The claim about speed: decided by `make bench`, which times both alternately. Training times are only shown."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.claims.evidence import Decision, Evidence, Verdict
from metaglot.report.load_runs import LoadedRun
from metaglot.report.original_study import SAVED
from metaglot.report.rows import overlapping

BENCH = "make bench"


def fomaml_is_faster(evidence: Evidence) -> Verdict:
    """Supported if the interval of the saved time is above 0 for every engine.

    The verdict only says whether FOMAML is faster; the text says which intervals include the printed 5.05%.
    """
    times = _pipeline_times(evidence)
    saved = (evidence.bench or {}).get("first_order_saves")
    if not saved:
        return Verdict(times, Decision.NOT_TESTED, BENCH)
    engines = [f"{_share(share)} with the {engine} engine" for engine, share in saved.items()]
    where = (evidence.bench or {}).get("machine", "an unnamed machine")
    less = f"Timed alternately by `{BENCH}` on {where}, a FOMAML iteration takes less time than a MAML iteration: "
    measured = f"{less}{formatting.listed(engines)}. {_printed_size(saved)} {times}"
    if all(share["low"] > 0 for share in saved.values()):
        return Verdict(measured, Decision.SUPPORTED)
    slower = all(share["high"] < 0 for share in saved.values())
    return Verdict(measured, Decision.NOT_SUPPORTED if slower else Decision.INCONCLUSIVE, None if slower else BENCH)


def _printed_size(saved: dict[str, Any]) -> str:
    """Whether the measured intervals include the printed saving."""
    inside = [engine for engine, share in saved.items() if share["low"] <= SAVED <= share["high"]]
    outside = [engine for engine in saved if engine not in inside]
    printed = f"The printed {formatting.percent(SAVED)} is"
    if not outside:
        return f"{printed} inside every interval."
    where = f"inside the interval of {formatting.listed(inside)} and outside" if inside else "outside"
    return (
        f"{printed} {where} the {'intervals' if len(outside) > 1 else 'interval'} of {formatting.listed(outside)}. "
        "The verdict only says that FOMAML is faster."
    )


def _share(share: dict[str, Any]) -> str:
    low, high = (100 * share[end] for end in ("low", "high"))
    return f"{100 * share['median']:.1f}% (95% interval {low:.1f}% to {high:.1f}%)"


def _pipeline_times(evidence: Evidence) -> str:
    """The mean training time of each algorithm on each device, and whether other trainings ran."""
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
