"""The tables of sequences of tasks: what is learned and forgotten, the differences, every task after every task."""

from metaglot.report import formatting
from metaglot.report.statistics.sequences import COMPARED, SUMMARIES
from metaglot.report.tables import Record, Table, estimate

TITLES = dict(zip(SUMMARIES, ("right after learning", "after the last task", "forgotten"), strict=True))


def sequences_table(compared: Record) -> Table:
    """A row for each algorithm, the most accurate after the last task first."""
    header = ["algorithm", *TITLES.values(), "inductive, after the last task"]
    ranked = sorted(compared["algorithms"], key=lambda row: -row["final"]["mean"])
    return Table(header, [[row["label"], *map(estimate, _columns(row))] for row in ranked])


def sequence_pairs_tables(compared: Record) -> list[Table]:
    """The differences after the last task, and those in forgetting; none with one algorithm."""
    return [_pairs_table(TITLES[summary], compared[key]) for summary, key in COMPARED.items() if compared[key]]


def _pairs_table(title: str, pairs: list[Record]) -> Table:
    header = ["first minus second", f"{title}, points", "95% interval", "over", "p (Holm)", "verdict on the first"]
    return Table(header, [_pair_cells(pair) for pair in pairs])


def matrix_tables(compared: Record) -> list[tuple[str, Table]]:
    """For each algorithm the accuracy on every task (rows) after every task (columns), in percent."""
    header = ["", *(f"after {j + 1}" for j in range(compared["length"]))]
    return [(row["label"], Table(header, _matrix_rows(row["matrix"]))) for row in compared["algorithms"]]


OUTPUTS = {
    "one": "All tasks use the same outputs.",
    "several": "Each task has its own head, which starts as the meta-trained one.",
}


def sequences_answer(compared: Record) -> str:
    """Which algorithm is the most accurate after the last task, and which forgets least."""
    best = max(compared["algorithms"], key=lambda row: row["final"]["mean"])
    least = min(compared["algorithms"], key=lambda row: row["forgetting"]["mean"])
    accuracy, forgotten = formatting.percent(best["final"]["mean"]), 100 * least["forgetting"]["mean"]
    return (
        f"After the last task, {best['label']} has the highest mean accuracy, {accuracy}. {least['label']} forgets "
        f"least, {forgotten:.2f} points."
    )


def sequences_note(compared: Record) -> str:
    return (
        f"{compared['sequences']:,} sequences of {compared['length']} tasks, learned one after the other, without "
        f"reset or replay. {OUTPUTS[compared.get('heads', 'one')]} What is forgotten is the accuracy right after "
        "learning, less that after the last task."
    )


def _columns(row: Record) -> list[Record]:
    return [*(row[name] for name in SUMMARIES), row["inductive"]["final"]]


def _pair_cells(pair: Record) -> list[str]:
    return [
        formatting.minus(*pair["labels"]),
        formatting.points(pair["difference"]),
        formatting.bounds(pair["ci95"] or pair["ci95_by_character"]),
        formatting.several(pair["seeds"], "seed") if pair["ci95"] else "the characters of one seed",
        formatting.p_cell(pair["p_holm"]),
        pair["verdict"],
    ]


def _matrix_rows(matrix: list[list[float]]) -> list[list[str]]:
    return [
        [f"task {i + 1}", *[""] * i, *(f"{100 * accuracy:.1f}" for accuracy in row)] for i, row in enumerate(matrix)
    ]
