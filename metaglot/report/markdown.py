"""The comparison as Markdown and on a terminal."""

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from metaglot.report.footnotes import more_metrics_notes, notes
from metaglot.report.pair_tables import baselines_table, pairs_table
from metaglot.report.sequence_tables import sequence_pairs_tables, sequences_answer, sequences_note, sequences_table
from metaglot.report.tables import Table, claims_table, main_table, more_metrics_table

MORE_METRICS = "The worst tasks, calibration and label order"
SEQUENCES = "Tasks learned one after the other"
BASELINES = "Against the baselines without meta-learning"
# The columns that a narrow terminal omits, the least important first.
DROPPED_FIRST = ("device", "over characters", "over", "inductive", "p (Holm)", "training time", "seeds", "loss")
GAP = 2  # between columns
GLYPHS = "glyphs (synthetic)"
SYNTHETIC = "SYNTHETIC DATA: {}. These numbers say nothing about Omniglot and are not comparable with published ones."


def banner(comparison: dict[str, Any]) -> str | None:
    """A warning if the characters are not Omniglot's."""
    return SYNTHETIC.format(comparison["dataset"]) if comparison["dataset"] == GLYPHS else None


def markdown(comparison: dict[str, Any]) -> str:
    """comparison.md."""
    warning = banner(comparison)
    parts = [f"# {comparison['question']}", *([f"**{warning}**"] if warning else []), comparison["answer"]]
    parts += [as_markdown(main_table(comparison)), _as_list(notes(comparison))]
    if more := more_metrics_table(comparison):
        parts += ["## " + MORE_METRICS, as_markdown(more), _as_list(more_metrics_notes(comparison))]
    if comparison["pairs"]:
        parts += ["## Differences on the same tasks", as_markdown(pairs_table(comparison))]
    if comparison["baselines"]:
        parts += [f"## {BASELINES}", comparison["baselines"]["answer"], as_markdown(baselines_table(comparison))]
    if sequences := comparison.get("sequences"):
        parts += [f"## {SEQUENCES}", *sequences_parts(sequences)]
    if comparison["claims"]:
        parts += ["## The original study's conclusions", *[claim_as_markdown(claim) for claim in comparison["claims"]]]
    return "\n\n".join(parts) + "\n"


def sequences_parts(sequences: dict[str, Any]) -> list[str]:
    """The paragraphs and tables of scores on sequences of tasks."""
    tables = [sequences_table(sequences), *sequence_pairs_tables(sequences)]
    return [sequences_answer(sequences), sequences_note(sequences), *map(as_markdown, tables)]


def _as_list(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def show(comparison: dict[str, Any], console: Console) -> None:
    """Print the comparison: question, answer, tables."""
    warning = banner(comparison)
    if warning:
        console.print(Text(warning, style="bold black on yellow"))
    console.print(Text(comparison["question"], style="bold"))
    console.print(as_grid(main_table(comparison), console.width))
    console.print(Text("\n".join(notes(comparison)), style="dim"))
    if more := more_metrics_table(comparison):
        console.print(as_grid(more, console.width))
        console.print(Text("\n".join(more_metrics_notes(comparison)), style="dim"))
    if comparison["pairs"]:
        console.print(as_grid(pairs_table(comparison), console.width))
    if comparison.get("baselines"):
        console.print(Text(comparison["baselines"]["answer"]))
        console.print(as_grid(baselines_table(comparison), console.width))
    if sequences := comparison.get("sequences"):
        console.print(as_grid(sequences_table(sequences), console.width))
        console.print(Text(sequences_answer(sequences)))
        console.print(Text(sequences_note(sequences), style="dim"))
    if comparison["claims"]:
        console.print(as_grid(claims_table(comparison), console.width))
    console.print(Text(comparison["answer"], style="bold"))


def as_markdown(table: Table) -> str:
    """A table in Markdown."""
    rows = [table.header, ["---"] * len(table.header), *table.rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def claim_as_markdown(claim: dict[str, Any]) -> str:
    """A conclusion with its verdict and the evidence for it."""
    lines = [f"**{claim['statement']}** {claim['verdict'].capitalize()}."]
    lines += [f"- The original study: {claim['writeup']}"] if claim["writeup"] else []
    lines += [f"- Measured: {claim['measured']}"]
    lines += [f"- Command that tells more: `{claim['command']}`"] if claim["command"] else []
    return "\n".join(lines)


def as_grid(table: Table, width: int) -> Grid:
    """A table without broken words: if it is too wide, it loses columns. Labels are not read as markup."""
    shown = _columns_that_fit(table, width)
    grid = Grid(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for column, wide in zip(shown, _widths(table, shown, width), strict=True):
        grid.add_column(Text(table.header[column]), overflow="fold", width=wide)
    for row in table.rows:
        grid.add_row(*[Text(row[column]) for column in shown])
    return grid


def _columns_that_fit(table: Table, width: int) -> list[int]:
    shown = [column for column in range(len(table.header)) if any(row[column] for row in table.rows)]
    for title in DROPPED_FIRST:
        if sum(_longest_word(table, column) + GAP for column in shown) <= width:
            break
        shown = [column for column in shown if table.header[column] != title]
    return shown


def _widths(table: Table, shown: list[int], width: int) -> list[int]:
    """The width of each column, in characters: its longest word; the first columns share the remaining space."""
    widths = [_longest_word(table, column) for column in shown]
    spare = width - sum(widths) - GAP * len(shown)
    for place, column in enumerate(shown):
        longest = max(len(row[column]) for row in [table.header, *table.rows])
        more = max(0, min(spare, longest - widths[place]))
        widths[place], spare = widths[place] + more, spare - more
    return widths


def _longest_word(table: Table, column: int) -> int:
    cells = [table.header[column], *(row[column] for row in table.rows)]
    return max(len(word) for cell in cells for word in cell.split() or [""])
