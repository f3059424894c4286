"""The charts of validation accuracy and loss, by iteration and by training time."""

from metaglot.report.figures.common import Curve, CurveGroup, series
from metaglot.report.figures.curve_figure import ACCURACY, LOSS, curve_figure
from metaglot.report.figures.figure import Figure
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import overlapping
from metaglot.report.tables import OVERLAP

MEANWHILE = f"{OVERLAP} while another training ran on the device"


def learning(runs: list[LoadedRun]) -> list[Figure]:
    """Accuracy and loss by iteration; by time a chart for each device, since their times are not comparable."""
    trained = [run for run in runs if _curve(run, "iteration", "validation_accuracy")]
    if not trained:
        return []
    accuracy, loss = (_groups(runs, "iteration", f"validation_{name}") for name in ("accuracy", "loss"))
    devices = sorted({run.record.device for run in trained})
    return [
        curve_figure("learning-accuracy", "Validation accuracy by iteration", "iteration", ACCURACY, accuracy),
        curve_figure("learning-loss", "Validation loss by iteration", "iteration", LOSS, loss),
        *(_by_time(runs, number, device) for number, device in enumerate(devices)),
    ]


def _by_time(runs: list[LoadedRun], number: int, device: str) -> Figure:
    """Mark the time of a training during which another one ran: it says little about speed."""
    groups = _groups(runs, "seconds", "validation_accuracy", device)
    meanwhile = MEANWHILE if any(group.note for group in groups) else ""
    x = ["training time, s", *([meanwhile] if meanwhile else [])]
    title = f"Validation accuracy by time on {device}"
    return curve_figure(f"learning-time-{number}", title, x, ACCURACY, groups, note=meanwhile)


def _groups(runs: list[LoadedRun], x: str, y: str, device: str | None = None) -> list[CurveGroup]:
    """The curves of each algorithm on a device, or on any. Curves by time are marked if trainings overlapped."""
    groups = []
    for number, seeds in enumerate(series(runs)):
        here = [run for run in seeds if device in (None, run.record.device)]
        curves = {run.name: curve for run in here if (curve := _curve(run, x, y))}
        note = f" {OVERLAP}" if x == "seconds" and any(overlapping(run, runs) for run in here) else ""
        if curves:
            groups.append(CurveGroup(seeds[0].result.label, number, number, curves, note))
    return groups


def _curve(run: LoadedRun, x: str, y: str) -> Curve:
    return {int(row["iteration"]): (row[x], row[y]) for row in run.history if y in row}
