"""The tables of algorithms and runs as texts in cells: the same in the terminal, in comparison.md and on the page."""

from typing import Any, NamedTuple

from metaglot.evaluation.metrics import METRICS, Metric
from metaglot.report import formatting
from metaglot.report.statistics.pairwise_result import shown_interval

Record = dict[str, Any]
MORE_METRICS = [metric for metric in METRICS if metric.name not in ("accuracy", "loss")]
PERMUTED = "spread over label permutations"
OVERLAP = "\N{DAGGER}"


class Table(NamedTuple):
    """Texts by row; the first column names the row."""

    header: list[str]
    rows: list[list[str]]


def ranked(rows: list[Record]) -> list[Record]:
    """The rows of algorithms, the most accurate first."""
    return sorted(rows, key=lambda row: -row["accuracy"]["mean"])


def main_table(comparison: Record, unit: str = "seed") -> Table:
    """A row for each algorithm, the best first, followed by the original study's numbers if the setting is the same."""
    rows = []
    for row in ranked(comparison["algorithms"]):
        rows += [[*algorithm_cells(row, unit).values()], *([_original_study_cells(row)] if row["writeup"] else [])]
    return Table([*algorithm_cells(comparison["algorithms"][0], unit)], rows)


def more_metrics_table(comparison: Record) -> Table | None:
    """The other transductive metrics of each algorithm; None for a comparison that is older than they are."""
    rows = ranked(comparison["algorithms"])
    metrics = [metric for metric in MORE_METRICS if any(metric.name in row for row in rows)]
    if not metrics:
        return None
    header = ["algorithm", *(metric.title for metric in metrics), PERMUTED]
    return Table(header, [_more_metrics_cells(row, metrics) for row in rows])


def runs_table(comparison: Record) -> Table:
    header = ["run", "test accuracy", "inductive", "loss", "training", "validation", "set-up", "device"]
    return Table(header, [_run_cells(run) for run in comparison["runs"]])


def uncertainty_table(comparison: Record) -> Table:
    """Both intervals of each algorithm's accuracy: over seeds, and over the characters of the test tasks."""
    header = ["algorithm", "seeds", "mean", "over seeds", "over characters, seeds averaged"]
    return Table(header, [_uncertainty_cells(row) for row in ranked(comparison["algorithms"])])


def claims_table(comparison: Record) -> Table:
    """The conclusions of the original study with our verdicts."""
    header = ["the original study's conclusion", "verdict"]
    return Table(header, [[claim["statement"], claim["verdict"]] for claim in comparison["claims"]])


def estimate(mean: Record) -> str:
    low, high = (100 * bound for bound in mean["ci95"])
    return f"{formatting.percent(mean['mean'])} [{low:.2f}, {high:.2f}]"


def algorithm_cells(row: Record, unit: str = "seed") -> dict[str, str]:
    """An algorithm's cells by column. unit: what `seeds` counts, a seed or a replicate."""
    return {
        "algorithm": row["label"],
        f"{unit}s": _seeds(row["seeds"], unit),
        "test accuracy": estimate(row["accuracy"]),
        "inductive": estimate(row["inductive_accuracy"]),
        "loss": f"{row['loss']['mean']:.4f}",
        "training time": "; ".join(_time(time) for time in row["times"]),
        "device": "; ".join(time["device"] for time in row["times"]),
    }


def _more_metrics_cells(row: Record, metrics: list[Metric]) -> list[str]:
    permuted = row.get("label_permutations")
    means = [_mean(metric, row.get(metric.name)) for metric in metrics]
    return [row["label"], *means, estimate(permuted["accuracy_std"]) if permuted else ""]


def _original_study_cells(row: Record) -> list[str]:
    printed = row["writeup"]
    accuracy, loss, time = formatting.percent(printed["accuracy"]), f"{printed['loss']:.5f}", printed["train_seconds"]
    return [f"original study: {row['label']}", "42", accuracy, "", loss, f"{time:,.2f} s", printed["device"]]


def _run_cells(run: Record) -> list[str]:
    interval = shown_interval({"ci95": run["accuracy_ci95"], "ci95_by_character": run["accuracy_ci95_by_character"]})
    return [
        run["run"],
        estimate({"mean": run["accuracy"], "ci95": interval}),
        formatting.percent(run["inductive_accuracy"]),
        f"{run['loss']:.4f}",
        formatting.seconds(run["train_seconds"]) + _mark(run),
        formatting.seconds(run["validation_seconds"]),
        formatting.seconds(run["setup_seconds"]),
        run["device"],
    ]


def _uncertainty_cells(row: Record) -> list[str]:
    accuracy, seeds = row["accuracy"], len(row["seeds"])
    over_seeds = formatting.bounds(accuracy["ci95"], formatting.percent) if seeds > 1 else ""
    over_characters = formatting.bounds(shown_interval(accuracy), formatting.percent)
    return [row["label"], str(seeds), formatting.percent(accuracy["mean"]), over_seeds, over_characters]


def _mean(metric: Metric, mean: Record | None) -> str:
    if mean is None:
        return ""
    return estimate(mean) if metric.is_fraction else f"{mean['mean']:.4f}"


def _seeds(seeds: list[int], unit: str) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) < 4 else f"{len(seeds)} {unit}s"


def _time(time: Record) -> str:
    seconds = time["train_seconds"]
    extremes = f" ({seconds['min']:,.0f} to {seconds['max']:,.0f})" if time["runs"] > 1 else ""
    return formatting.seconds(seconds["mean"]) + extremes + _mark(time)


def _mark(row: Record) -> str:
    return f" {OVERLAP}" if row["overlapped"] else ""
