"""The charts of validation accuracy and loss, by iteration and by training time."""

from metaglot.report.figures.common import Curve, accuracy_axis, draw_curves, ends, loss_axis, series
from metaglot.report.figures.svg_chart import Chart, open_chart
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import overlapping
from metaglot.report.tables import OVERLAP

AXES = {"iteration": "iteration", "seconds": "training time, s"}
MEANWHILE = f"{OVERLAP} while another training ran on the device"


def learning(runs: list[LoadedRun]) -> list[Chart]:
    """Accuracy and loss by iteration; by time a chart for each device, since their times are not comparable."""
    trained = [run for run in runs if _curve(run, "iteration", "validation_accuracy")]
    if not trained:
        return []
    devices = sorted({run.record.device for run in trained})
    return [
        _accuracy(runs, "learning-accuracy", "Validation accuracy by iteration", "iteration", devices),
        _loss(runs),
        *(
            _accuracy(runs, f"learning-time-{number}", f"Validation accuracy by time on {device}", "seconds", [device])
            for number, device in enumerate(devices)
        ),
    ]


def _accuracy(runs: list[LoadedRun], id: str, title: str, x: str, devices: list[str]) -> Chart:
    """Mark the time of a training during which another one ran: it says little about speed."""
    with open_chart(id) as drawn:
        last = {}
        for number, seeds in enumerate(series(runs)):
            here = [run for run in seeds if run.record.device in devices]
            mark = f" {OVERLAP}" if x == "seconds" and any(overlapping(run, runs) for run in here) else ""
            label = seeds[0].result.label + mark
            last[label] = draw_curves(drawn, here, number, lambda run: _curve(run, x, "validation_accuracy"), mark)
        accuracy_axis(drawn.axes)
        meanwhile = MEANWHILE if any(OVERLAP in label for label in last) else ""
        drawn.label(f"{AXES[x]}\n{meanwhile}".strip(), "accuracy, logarithmic in the error")
        return drawn.finish(title, f"{ends(last)} {meanwhile}".strip())


def _loss(runs: list[LoadedRun]) -> Chart:
    with open_chart("learning-loss") as drawn:
        last = {
            seeds[0].result.label: draw_curves(
                drawn, seeds, number, lambda run: _curve(run, "iteration", "validation_loss")
            )
            for number, seeds in enumerate(series(runs))
        }
        loss_axis(drawn.axes)
        drawn.label("iteration", "query cross-entropy")
        return drawn.finish("Validation loss by iteration", ends(last, "{:.4f}".format))


def _curve(run: LoadedRun, x: str, y: str) -> Curve:
    return {int(row["iteration"]): (row[x], row[y]) for row in run.history if y in row}
