"""The notes that a reader of the numbers needs, for the page, comparison.md and the terminal."""

from typing import Any

from metaglot.report import formatting
from metaglot.report.load_runs import LoadedRun
from metaglot.report.rows import adaptation_steps
from metaglot.report.statistics.over_seeds import by_algorithm
from metaglot.report.statistics.pairs import Pair
from metaglot.report.tables import OVERLAP, ranked

Record = dict[str, Any]

# The algorithms for which validation decides something.
VALIDATION_DECIDES = {
    "pretrained": "{label}, which keeps the weights that score best on the validation tasks and stops early",
    "scratch": "{label}, whose rate and number of steps are chosen on the validation tasks",
}
OTHER_CLASSES = 'A "character" is a class of {} here, and a "drawing" one of its images.'
SEEDS_NOTE = (
    "Intervals over seeds describe networks retrained on this split and tested on these tasks. The interval over "
    "characters describes other test characters, for the mean of these seeds' networks."
)


def notes(comparison: Record) -> list[str]:
    """The notes below the main table."""
    rows, runs = ranked(comparison["algorithms"]), comparison["runs"]
    several = any(len(row["seeds"]) > 1 for row in rows)
    tasks = formatting.several(comparison["evaluate"]["tasks"], "test task")
    dataset = comparison["dataset"]
    lines = [
        f"{_training_iterations(rows, runs)}, {formatting.dataset(dataset)}, model {comparison['model']}.",
        f"Accuracy and loss (query cross-entropy) over {tasks}, the same for all runs; in brackets the 95% confidence "
        + ("interval over seeds." if several else "interval of this one network, clustered by character."),
        *([SEEDS_NOTE] if several else []),
        *family_notes(comparison["pairs"]),
        *([] if dataset in formatting.OF_CHARACTERS else [OTHER_CLASSES.format(dataset)]),
        f"Adaptation steps before a test task's queries: {_by_algorithm(rows, 'adaptation_steps')}.",
        "Inductive: each query is classified independently. The other columns are transductive, as published: batch "
        "norm normalises all queries of a task together.",
        "Training time: the meta-training loop with its task sampling, without set-up and validation.",
    ]
    times = [time for row in rows for time in row["times"]]
    if len({time["device"] for time in times}) > 1:
        lines.append("Times on different devices are not comparable.")
    if any(time["overlapped"] for time in times):
        lines.append(
            f"{OVERLAP} Another training ran at the same time on a device of this name: if it was the same device, the "
            "time says little."
        )
    if any(row["writeup"] for row in rows):
        lines.append(
            "The original study tested on 32 tasks; its times are on a laptop GPU and include data loading and "
            'validation. It calls the loss "error".'
        )
    return lines


def more_metrics_notes(comparison: Record) -> list[str]:
    """The notes below the table of the other metrics."""
    lines = [
        "Worst tenth: the mean accuracy of the tenth of the tasks with the lowest accuracies.",
        "Calibration error: the expected one, over 15 bins of confidence; 0 is best.",
    ]
    permuted = [counts for row in ranked(comparison["algorithms"]) if (counts := row.get("label_permutations"))]
    if permuted:
        tasks = formatting.listed(sorted({str(counts["tasks"]) for counts in permuted}, key=int))
        lines.append(
            f"Spread over label permutations: the standard deviation of a task's accuracy over "
            f"{permuted[0]['permutations']} permutations of its labels, a mean over {tasks} tasks, in points."
        )
    return lines


def family_notes(pairs: list[Pair]) -> list[str]:
    """Why an interval and a verdict may disagree; empty if no p-value was corrected."""
    if len(pairs) < 2 or all(pair["over_seeds"]["accuracy"]["p"] is None for pair in pairs):
        return []
    return [
        f"Each interval is at 95% and uncorrected. p-values and verdicts are corrected by Holm's method over all "
        f"{len(pairs)} pairs, so an interval can exclude 0 although the verdict is inconclusive."
    ]


def validation_notes(runs: list[LoadedRun]) -> list[str]:
    """What validation decided, and which validation curves do not end at the test score."""
    first = [seeds[0] for seeds in by_algorithm(runs)]
    decided = [
        VALIDATION_DECIDES[run.algorithm].format(label=run.result.label)
        for run in first
        if run.algorithm in VALIDATION_DECIDES
    ]
    exceptions = f", except for {formatting.listed(decided)}" if decided else ""
    lines = [f"We test the weights of the last iteration. Validation is only recorded{exceptions}."]
    other = [
        f"{run.result.label} {run.record.config.train.adaptation_steps}, then {steps}"
        for run in first
        if (steps := adaptation_steps(run)) not in (None, run.record.config.train.adaptation_steps)
    ]
    if other:
        lines.append(
            f"Validation takes as many adaptation steps as training; the test takes another number "
            f"({formatting.listed(other)}), so such a curve does not end at the score."
        )
    return lines


def _training_iterations(rows: list[Record], runs: list[Record]) -> str:
    """Of every algorithm; with early stopping the fewest and the most of its seeds."""
    of = {row["label"]: [run["iterations"] for run in runs if run["algorithm"] == row["algorithm"]] for row in rows}
    counts = {label: _range(iterations) for label, iterations in of.items()}
    same = len(set(counts.values())) == 1
    return f"{_once(counts)} training iterations" if same else f"Training iterations: {_once(counts)}"


def _range(numbers: list[int]) -> str:
    return " to ".join(f"{end:,}" for end in sorted({min(numbers), max(numbers)}))


def _by_algorithm(rows: list[Record], key: str) -> str:
    """The number of every algorithm; From scratch chooses its own, and others have none."""
    return _once({row["label"]: "no fixed number" if row[key] is None else f"{row[key]:,}" for row in rows})


def _once(counts: dict[str, str]) -> str:
    """The counts by algorithm; only once if they are the same."""
    if len(set(counts.values())) == 1:
        return next(iter(counts.values()))
    return formatting.listed([f"{label} {count}" for label, count in counts.items()])
