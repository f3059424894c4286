"""What has to be known before a number is read: said once here, for the page, comparison.md and the terminal."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.figures.common import series
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import adaptation_steps
from metaglot.report.statistics.pairs import Pair

Record = dict[str, Any]

# What validation decides, where it decides anything.
DECIDES = {
    "pretrained": "{label}, which keeps the weights that score best on the validation tasks and stops early",
    "scratch": "{label}, whose rate and number of steps are chosen on the validation tasks",
}


def of_seeds(rows: list[Record]) -> list[str]:
    """What an interval over seeds leaves out; nothing where there is none."""
    if not any(len(row["seeds"]) > 1 for row in rows):
        return []
    return [
        "Intervals over seeds describe networks retrained on this split and tested on these tasks. The interval over "
        "characters describes other test characters, for the mean of these seeds' networks."
    ]


def of_families(pairs: list[Pair]) -> list[str]:
    """Why an interval and a verdict may disagree; nothing where nothing was corrected."""
    if len(pairs) < 2 or all(pair["over_seeds"]["accuracy"]["p"] is None for pair in pairs):
        return []
    return [
        f"Each interval is at 95% and uncorrected. p-values and verdicts are corrected by Holm's method over all "
        f"{len(pairs)} pairs, so an interval can exclude 0 although the verdict is inconclusive."
    ]


def of_validation(runs: list[LoadedRun]) -> list[str]:
    """What validation decided, and where its curves are not what the tests score."""
    first = [seeds[0] for seeds in series(runs)]
    decided = [DECIDES[run.algorithm].format(label=run.result.label) for run in first if run.algorithm in DECIDES]
    but = f", except for {formatting.listed(decided)}" if decided else ""
    said = [f"We test the weights of the last iteration. Validation is only recorded{but}."]
    longer = [f"{run.result.label} {_steps(run)}, then {adaptation_steps(run)}" for run in first if _adapts_more(run)]
    if longer:
        said.append(
            f"Validation takes as many adaptation steps as training; the test takes more "
            f"({formatting.listed(longer)}), so such a curve does not end at the score."
        )
    return said


def _steps(run: LoadedRun) -> int:
    return run.record.config.train.adaptation_steps


def _adapts_more(run: LoadedRun) -> bool:
    return adaptation_steps(run) not in (None, _steps(run))
