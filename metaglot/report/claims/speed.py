"""The claim about speed: decided by `make bench`, which times both alternately. Training times are only shown."""

from metaglot.report import formatting
from metaglot.report.claims.evidence import Decision, Evidence, Verdict
from metaglot.report.load_runs import LoadedRun
from metaglot.report.original_study import SAVED
from metaglot.report.rows import overlapping
from metaglot.report.speed_benchmark import SavedTime

BENCH = "make bench"
SAYS = dict.fromkeys(Decision, "saves this share of a MAML iteration's time")
SAYS[Decision.SUPPORTED] = "takes less time than a MAML iteration"
EXAMPLE = "learn2learn's example, which spends nearly all its time on loading images"
PROGRAMS = {"batched": "the batched engine", "learn2learn": EXAMPLE}  # what was timed, by its key in results.json


def fomaml_is_faster(evidence: Evidence) -> Verdict:
    """Supported if the interval of the saved time is above 0 for every program that was timed.

    The verdict only says whether FOMAML is faster; the text says which intervals include the printed 5.05%.
    """
    times, bench = _pipeline_times(evidence), evidence.bench
    if not bench or not bench.first_order_saves:
        return Verdict(times, Decision.NOT_TESTED, BENCH)
    saved = bench.first_order_saves
    decision = _decide(list(saved.values()))
    timed = f"Timed alternately by `{BENCH}` on {bench.machine}, each with the scoring of new validation tasks"
    shares = [f"{_share(share)} with {PROGRAMS.get(name, name)}" for name, share in saved.items()]
    says = f"{timed}, a FOMAML iteration {SAYS[decision]}: {formatting.listed(shares)}."
    measured = f"{says} {_printed_size(saved, decision)} {times}"
    return Verdict(measured, decision, BENCH if decision is Decision.INCONCLUSIVE else None)


def _decide(saved: list[SavedTime]) -> Decision:
    if all(share.low > 0 for share in saved):
        return Decision.SUPPORTED
    return Decision.NOT_SUPPORTED if all(share.high < 0 for share in saved) else Decision.INCONCLUSIVE


def _printed_size(saved: dict[str, SavedTime], decision: Decision) -> str:
    """Whether the measured intervals include the printed saving."""
    inside = [name for name, share in saved.items() if share.low <= SAVED <= share.high]
    printed = f"The printed {formatting.percent(SAVED)} is"
    if len(inside) == len(saved):
        return f"{printed} inside every interval."
    where = f"inside the interval of {formatting.listed(inside)} alone" if inside else "outside every interval"
    only = " The verdict only says that FOMAML is faster." if decision is Decision.SUPPORTED else ""
    return f"{printed} {where}.{only}"


def _share(share: SavedTime) -> str:
    values = share.median, share.low, share.high
    median, low, high = (f"{100 * value:.1f}%".replace("-", formatting.MINUS) for value in values)
    return f"{median} (95% interval {low} to {high})"


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
