"""The charts of training times, one for each device, since times on different devices are not comparable."""

from collections.abc import Callable

import altair as alt
import numpy as np

from metaglot.charts.interaction import tooltip, zoom
from metaglot.charts.shapes import polygon
from metaglot.report import formatting
from metaglot.report.figures.common import Row, tidy
from metaglot.report.figures.figure import PAGE, Figure, Switch, colours, shown, specify
from metaglot.report.figures.learning import MEANWHILE
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import overlapping
from metaglot.report.statistics.over_seeds import by_algorithm
from metaglot.report.tables import OVERLAP

PHASES: dict[str, Callable[[LoadedRun], float]] = {
    "training": lambda run: run.record.train_seconds,
    "validation": lambda run: run.record.validation_seconds,
    "set-up": lambda run: run.record.setup_seconds,
}
SHADES = (1.0, 0.55, 0.25)
LEGEND = "seconds: training, validation, set-up"
ROW, AROUND = 30, 66  # pixels
ROOM = 1.4  # for the total right of the longest bar


def durations(runs: list[LoadedRun]) -> list[Figure]:
    """The mean time of each algorithm's runs on a device, by phase."""
    devices = sorted({run.record.device for run in runs})
    return [_device_figure(number, device, runs) for number, device in enumerate(devices)]


def _device_figure(number: int, device: str, runs: list[LoadedRun]) -> Figure:
    every = enumerate(by_algorithm(runs))
    on_device = {place: [run for run in seeds if run.record.device == device] for place, seeds in every}
    here = {place: seeds for place, seeds in on_device.items() if seeds}
    palette = {seeds[0].result.label: place for place, seeds in here.items()}
    rows = [row for seeds in here.values() for row in _rows(seeds)]
    totals = [_total(seeds, runs) for seeds in here.values()]
    words = "; ".join(_words(seeds, total) for seeds, total in zip(here.values(), totals, strict=True)) + "."
    title = [LEGEND, *([MEANWHILE] if any(OVERLAP in total["text"] for total in totals) else [])]
    end = max(total["end"] for total in totals) * ROOM
    specification = specify(
        _layers(end or 1, palette, title), {"bars": rows, "totals": totals}, AROUND + ROW * len(here)
    )
    switches = [Switch(label, label, place, polygon(4, 45)) for label, place in palette.items()]
    return Figure(f"durations-{number}", f"Mean duration on {device}", words, specification, switches)


def _layers(end: float, palette: dict[str, int], title: list[str]) -> list[alt.Chart]:
    y = alt.Y("group:N", title=None, scale=alt.Scale(domain=list(palette)), axis=alt.Axis(grid=False, ticks=False))
    x = alt.X("start:Q", title=title, scale=alt.Scale(domain=[0, end], nice=False))
    shades = alt.Opacity("phase:O", scale=alt.Scale(domain=list(PHASES), range=SHADES), legend=None)
    values = {"title": ("group", ""), "phase": ("phase", ""), "mean": ("text", "")}
    bars = shown("bars").mark_bar(height=18, clip=True).encode(x, y, colours(palette), shades, x2="end")
    texts = (
        shown("totals").mark_text(align="left", dx=6, color=PAGE.ink, fontSize=12).encode(x="end:Q", y=y, text="text:N")
    )
    return [bars.encode(tooltip=tooltip(values)).add_params(zoom("x")), texts]


def _rows(seeds: list[LoadedRun]) -> list[Row]:
    """A bar for each phase, one after the other."""
    label, means = seeds[0].result.label, _means(seeds)
    ends = np.cumsum([0, *means.values()])
    return [
        {"group": label, "phase": phase, "start": tidy(start), "end": tidy(end), "text": formatting.seconds(mean)}
        for (phase, mean), start, end in zip(means.items(), ends, ends[1:], strict=False)
    ]


def _total(seeds: list[LoadedRun], runs: list[LoadedRun]) -> Row:
    mark = f" {OVERLAP}" if any(overlapping(run, runs) for run in seeds) else ""
    total = sum(_means(seeds).values())
    return {"group": seeds[0].result.label, "end": tidy(total), "text": formatting.seconds(total) + mark}


def _means(seeds: list[LoadedRun]) -> dict[str, float]:
    return {phase: float(np.mean([seconds(run) for run in seeds])) for phase, seconds in PHASES.items()}


def _words(seeds: list[LoadedRun], total: Row) -> str:
    parts = ", ".join(f"{phase} {formatting.seconds(mean)}" for phase, mean in _means(seeds).items())
    return f"{seeds[0].result.label}: {parts}{' while others ran' if OVERLAP in total['text'] else ''}"
