"""The two pictures of one run: how it learned, and how it adapts."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metaglot.core.common.run_records import RunRecord
from metaglot.evaluation.result_record import Result

FIGURES = LEARNING_CURVE, ACCURACY_BY_STEP = "learning_curve.png", "accuracy_by_step.png"
TRAIN, VALIDATION = "#56b4e9", "#d55e00"  # Okabe and Ito's palette: told apart by any eye


def draw_figures(folder: Path, run: RunRecord, history: list[dict[str, float]], result: Result) -> None:
    """Write FIGURES; the same records give the same bytes."""
    name = f"{run.label} · seed {run.seed} · {result.dataset}"
    _save(learning_curve(name, history), folder / LEARNING_CURVE)
    _save(accuracy_by_step(name, result), folder / ACCURACY_BY_STEP)


def learning_curve(name: str, history: list[dict[str, float]]) -> Figure:
    figure = Figure(figsize=(9, 3.6))
    figure.suptitle(name)
    figure.subplots_adjust(left=0.07, right=0.98, bottom=0.14, top=0.9)
    if not history:
        figure.text(0.5, 0.5, "nothing was trained", ha="center")
        return figure
    for axes, quantity in zip(figure.subplots(1, 2), ("accuracy", "loss"), strict=True):
        for part, colour in (("train", TRAIN), ("validation", VALIDATION)):
            known = [row for row in history if f"{part}_{quantity}" in row]
            iterations = [row["iteration"] for row in known]
            axes.plot(iterations, [row[f"{part}_{quantity}"] for row in known], ".-", color=colour, label=part)
        _label(axes, "iteration", f"query {quantity}")
        axes.legend()
    return figure


def accuracy_by_step(name: str, result: Result) -> Figure:
    figure = Figure(figsize=(4.5, 3.6))
    axes = figure.subplots()
    steps, accuracies = zip(*((after.step, after.accuracy) for after in result.by_step), strict=True)
    figure.subplots_adjust(left=0.14, right=0.97, bottom=0.14, top=0.9)
    axes.plot(steps, accuracies, "o-", color=VALIDATION)
    figure.suptitle(name)
    _label(axes, "adaptation steps", "test accuracy")
    return figure


def _label(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, dpi=110, metadata={"Software": None})
