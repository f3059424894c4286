"""The tables of a comparison as texts in cells: the same in the terminal, in comparison.md and on the page."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from metaglot.evaluation.metrics import METRICS, Metric
from metaglot.report import formatting
from metaglot.report.footnotes import of_families, of_seeds
from metaglot.report.ranking import best_first, ranked
from metaglot.report.statistics.pairwise_result import PairwiseResult, pairwise_result, wider_interval

Record = dict[str, Any]
MORE_METRICS = [metric for metric in METRICS if metric.name not in ("accuracy", "loss")]
OVERLAP = "\N{DAGGER}"
PAIRS = ["first minus second", "accuracy, points", "95% interval", "over", "over characters", "p (Holm)"]
PAIRS += ["verdict on the first"]


class Table(NamedTuple):
    """Texts by row; the first column names the row."""

    header: list[str]
    rows: list[list[str]]


def main_table(comparison: Record) -> Table:
    """An algorithm a row, the best first; under it the original study's numbers, if the setting is the same."""
    header = ["algorithm", "seeds", "test accuracy", "inductive", "loss"]
    header += ["training time", "device", *(metric.title for metric in MORE_METRICS)]
    rows = []
    for row in ranked(comparison["algorithms"]):
        rows += [_ours(row), *([_writeups(row)] if row["writeup"] else [])]
    return Table(header, rows)


def runs_table(comparison: Record) -> Table:
    """A run a row."""
    header = ["run", "test accuracy", "inductive", "loss", "training", "validation", "set-up", "device"]
    return Table(header, [_run(run) for run in comparison["runs"]])


def pairs_table(comparison: Record) -> Table:
    """A pair of algorithms a row: the difference in accuracy, what it was taken over, and the verdict."""
    return Table(PAIRS, [_standing(pairwise_result(pair, pair["first"])) for pair in best_first(comparison)])


def baselines_table(comparison: Record) -> Table:
    """A meta-learner against a baseline a row, as a family of their own."""
    found = comparison["baselines"]
    return Table(PAIRS, [_standing(PairwiseResult(**one)) for one in found["standings"]] if found else [])


def claims_table(comparison: Record) -> Table:
    """A conclusion of the original study a row, with our verdict."""
    return Table(
        ["the original study's conclusion", "verdict"], [[c["statement"], c["verdict"]] for c in comparison["claims"]]
    )


def notes(comparison: Record) -> list[str]:
    """What has to be known to read the main table."""
    rows = ranked(comparison["algorithms"])
    several = any(len(row["seeds"]) > 1 for row in rows)
    tasks = formatting.several(comparison["evaluate"]["tasks"], "test task")
    said = [
        f"{_trained(rows)}, {formatting.dataset(comparison['dataset'])}, model {comparison['model']}.",
        f"Accuracy and loss (query cross-entropy) over {tasks}, the same for all runs; in brackets the 95% confidence "
        + ("interval over seeds." if several else "interval of this one network, clustered by character."),
        *of_seeds(rows),
        *of_families(comparison["pairs"]),
        _adapted(rows),
        "Inductive: each query is classified independently. The other columns are transductive, as published: batch "
        "norm normalises all queries of a task together.",
        "Training time: the meta-training loop with its task sampling, without set-up and validation.",
    ]
    times = [time for row in rows for time in row["times"]]
    if len({time["device"] for time in times}) > 1:
        said.append("Times on different devices are not comparable.")
    if any(time["overlapped"] for time in times):
        said.append(f"{OVERLAP} Another training ran on the device at the same time, so the time says little.")
    if any(row["writeup"] for row in rows):
        said.append(
            "The original study tested on 32 tasks; its times are on a laptop GPU and include data loading and "
            'validation. It calls the loss "error".'
        )
    return said


def _run(run: Record) -> list[str]:
    mark = f" {OVERLAP}" if run["overlapped"] else ""
    return [
        run["run"],
        estimate({"mean": run["accuracy"], "ci95": shown(run)}),
        formatting.percent(run["inductive_accuracy"]),
        f"{run['loss']:.4f}",
        formatting.seconds(run["train_seconds"]) + mark,
        formatting.seconds(run["validation_seconds"]),
        formatting.seconds(run["setup_seconds"]),
        run["device"],
    ]


def _trained(rows: list[Record]) -> str:
    """For how long the algorithms were trained."""
    counts = {row["label"]: f"{row['iterations']:,}" for row in rows}
    if len(set(counts.values())) == 1:
        return f"{next(iter(counts.values()))} training iterations"
    return "Training iterations: " + formatting.listed([f"{label} {count}" for label, count in counts.items()])


def _adapted(rows: list[Record]) -> str:
    """After how many adaptation steps the algorithms were scored."""
    steps = {row["label"]: row["adaptation_steps"] for row in rows}
    counts = {label: "none" if count is None else f"{count:,}" for label, count in steps.items()}
    if len(set(counts.values())) == 1:
        return f"Adaptation steps before a test task's queries: {next(iter(counts.values()))}."
    each = formatting.listed([f"{label} {count}" for label, count in counts.items()])
    return f"Adaptation steps before a test task's queries: {each}."


def _ours(row: Record) -> list[str]:
    return [
        row["label"],
        _seeds(row["seeds"]),
        estimate(row["accuracy"]),
        estimate(row["inductive_accuracy"]),
        f"{row['loss']['mean']:.4f}",
        "; ".join(_time(time) for time in row["times"]),
        "; ".join(time["device"] for time in row["times"]),
        *(_mean(metric, row.get(metric.name)) for metric in MORE_METRICS),
    ]


def _writeups(row: Record) -> list[str]:
    printed = row["writeup"]
    accuracy, loss, time = formatting.percent(printed["accuracy"]), f"{printed['loss']:.5f}", printed["train_seconds"]
    more = [""] * len(MORE_METRICS)
    return [f"original study: {row['label']}", "42", accuracy, "", loss, f"{time:,.2f} s", printed["device"], *more]


def _mean(metric: Metric, found: Record | None) -> str:
    if found is None:
        return ""
    return formatting.percent(found["mean"]) if metric.is_fraction else f"{found['mean']:.4f}"


def estimate(found: Record) -> str:
    low, high = (100 * bound for bound in found["ci95"])
    return f"{formatting.percent(found['mean'])} [{low:.2f}, {high:.2f}]"


def _seeds(seeds: list[int]) -> str:
    return ", ".join(map(str, seeds)) if len(seeds) < 4 else f"{len(seeds)} seeds"


def _time(time: Record) -> str:
    seconds = time["train_seconds"]
    spread = f" ({seconds['min']:,.0f} to {seconds['max']:,.0f})" if time["runs"] > 1 else ""
    return formatting.seconds(seconds["mean"]) + spread + (f" {OVERLAP}" if time["overlapped"] else "")


def shown(run: Record) -> tuple[float, float]:
    """The interval of a run's accuracy."""
    return wider_interval({"ci95": run["accuracy_ci95"], "ci95_by_character": run["accuracy_ci95_by_character"]})


def _standing(found: PairwiseResult) -> list[str]:
    return [
        f"{found.label} {formatting.MINUS} {found.other}",
        formatting.points(found.difference),
        _bounds((found.low, found.high)),
        "the characters of one seed" if found.p is None else formatting.several(found.seeds, "seed"),
        _bounds(found.over_characters) if found.over_characters else "",
        "" if found.p is None else f"{found.p:.2g}",
        found.verdict + (", within the margin" if found.within_margin and found.verdict in ("better", "worse") else ""),
    ]


def _bounds(bounds: Sequence[float]) -> str:
    low, high = bounds
    return f"{formatting.points(low)} to {formatting.points(high)}"
