"""The charts of validation accuracy and loss, by iteration and by training time."""

from dataclasses import replace

from metaglot.report.figures.common import Curve, curve_groups
from metaglot.report.figures.curve_figure import ACCURACY, LOSS, Quantity, curve_figure
from metaglot.report.figures.figure import Figure
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import overlapping
from metaglot.report.tables import OVERLAP

MEANWHILE = f"{OVERLAP} while another training ran on the device"


def learning(runs: list[LoadedRun]) -> list[Figure]:
    """Accuracy and loss by iteration; by time a chart for each device, since their times are not comparable."""
    devices = sorted({run.record.device for run in runs if _curve(run, "iteration", "validation_accuracy")})
    if not devices:
        return []
    return [
        _by_iteration(runs, ACCURACY),
        _by_iteration(runs, LOSS),
        *(_by_time(runs, number, device) for number, device in enumerate(devices)),
    ]


def _by_iteration(runs: list[LoadedRun], y: Quantity) -> Figure:
    groups = curve_groups(runs, lambda run: _curve(run, "iteration", f"validation_{y.name}"))
    return curve_figure(f"learning-{y.name}", f"Validation {y.name} by iteration", "iteration", y, groups)


def _by_time(runs: list[LoadedRun], number: int, device: str) -> Figure:
    """Mark the time of a training during which another one ran: it says little about speed."""

    def curve(run: LoadedRun) -> Curve:
        return _curve(run, "seconds", "validation_accuracy") if run.record.device == device else {}

    overlapped = {run.result.label for run in runs if run.record.device == device and overlapping(run, runs)}
    groups = curve_groups(runs, curve)
    groups = [replace(group, note=f" {OVERLAP}") if group.name in overlapped else group for group in groups]
    meanwhile = MEANWHILE if any(group.note for group in groups) else ""
    x = ["training time, s", *([meanwhile] if meanwhile else [])]
    title = f"Validation accuracy by time on {device}"
    return curve_figure(f"learning-time-{number}", title, x, ACCURACY, groups, note=meanwhile)


def _curve(run: LoadedRun, x: str, y: str) -> Curve:
    return {int(row["iteration"]): (row[x], row[y]) for row in run.history if y in row}
