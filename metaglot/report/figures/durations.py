"""The charts of training times, one for each device, since times on different devices are not comparable."""

from collections.abc import Callable

import numpy as np

from metaglot.report import formatting
from metaglot.report.figures.common import series
from metaglot.report.figures.svg_chart import INK, Chart, colour, open_chart
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import overlapping

PHASES: dict[str, Callable[[LoadedRun], float]] = {
    "training": lambda run: run.record.train_seconds,
    "validation": lambda run: run.record.validation_seconds,
    "set-up": lambda run: run.record.setup_seconds,
}
SHADES = (1.0, 0.55, 0.25)
Row = tuple[int, list[LoadedRun]]


def durations(runs: list[LoadedRun]) -> list[Chart]:
    """The mean time of each algorithm's runs on a device, by phase."""
    devices = sorted({run.record.device for run in runs})
    return [_device_chart(number, device, runs) for number, device in enumerate(devices)]


def _device_chart(number: int, device: str, runs: list[LoadedRun]) -> Chart:
    here = [(place, [run for run in seeds if run.record.device == device]) for place, seeds in enumerate(series(runs))]
    rows = [(place, seeds) for place, seeds in here if seeds]
    with open_chart(f"durations-{number}", height=1.0 + 0.32 * len(rows)) as drawn:
        texts = []
        for place, (series_number, seeds) in enumerate(rows):
            spent = {phase: float(np.mean([seconds(run) for run in seeds])) for phase, seconds in PHASES.items()}
            left = 0.0
            for (phase, seconds), shade in zip(spent.items(), SHADES, strict=True):
                (bar,) = drawn.axes.barh(
                    place, seconds, left=left, height=0.6, color=colour(series_number), alpha=shade
                )
                drawn.tip(bar, f"{seeds[0].result.label}, {phase}: {formatting.seconds(seconds)}")
                left += seconds
            mark = " while others ran" if any(overlapping(run, runs) for run in seeds) else ""
            drawn.axes.text(left, place, f"  {formatting.seconds(left)}{mark}", va="center", color=INK)
            parts = ", ".join(f"{phase} {formatting.seconds(seconds)}" for phase, seconds in spent.items())
            texts.append(f"{seeds[0].result.label}: {parts}{mark}")
        drawn.axes.set_yticks(range(len(rows)), [seeds[0].result.label for _, seeds in rows])
        drawn.axes.set_ylim(len(rows) - 0.5, -0.5)
        drawn.axes.margins(x=0.35)
        drawn.axes.grid(axis="y", visible=False)
        drawn.label("seconds, from dark to light: training, validation, set-up", "")
        return drawn.finish(f"Mean duration on {device}", "; ".join(texts) + ".")
