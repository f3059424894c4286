"""The chart of accuracy after the last task of a sequence, by the place of the task."""

from metaglot.report.figures.common import Curve, curve_groups
from metaglot.report.figures.curve_figure import ACCURACY, curve_figure
from metaglot.report.figures.figure import Figure
from metaglot.report.load_runs import LoadedRun
from metaglot.report.statistics.sequences import sequences_of


def sequences(runs: list[LoadedRun]) -> list[Figure]:
    """Accuracy on each task of a sequence after the last one, by its place."""
    groups = curve_groups(runs, _final_by_place)
    return [curve_figure("sequences", "Accuracy after the last task", "place of the task", ACCURACY, groups)]


def _final_by_place(run: LoadedRun) -> Curve:
    places = sequences_of(run).transductive.by_place
    return {place: (place, task.final.mean) for place, task in enumerate(places, start=1)}
