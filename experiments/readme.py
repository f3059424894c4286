"""README's two generated blocks: the default comparison (data/report/comparison.json) and the conclusions' verdicts."""

import re
from pathlib import Path
from textwrap import fill

from experiments.conclusions import verdicts
from experiments.load_record import load_records
from metaglot.core.common.atomic_files import read_json, read_text
from metaglot.core.common.errors import UserError
from metaglot.report import formatting
from metaglot.report.markdown import as_markdown
from metaglot.report.tables import Record, Table, estimate, ranked
from stages.support import paths

README = Path("README.md")
WIDTH = 120


def fill_readme(readme: Path = README, comparison: Path = paths.COMPARISON) -> str:
    """README's text with its blocks generated again."""
    lines = "\n".join(_wrapped(line, "  ") for line in verdicts(load_records()).splitlines())
    text = _with_block(readme, read_text(readme), "results", results_block(read_json(comparison)))
    return _with_block(readme, text, "conclusions", lines)


def _wrapped(line: str, indent: str = "") -> str:
    return fill(line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _with_block(readme: Path, text: str, name: str, content: str) -> str:
    block = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)", re.DOTALL)
    if len(block.findall(text)) != 1:
        raise UserError(f"{readme}: needs exactly one block from `<!-- {name} -->` to `<!-- /{name} -->`")
    return block.sub(lambda match: f"{match[1]}{content}{match[2]}", text)


def results_block(comparison: Record) -> str:
    rows = ranked(comparison["algorithms"])
    seeds = rows[0]["seeds"]
    tasks = f"accuracy on {comparison['evaluate']['tasks']:,} test tasks"
    header = [_seeds(seeds), tasks, "inductive", "loss", "training"]
    has_study = any(row["writeup"] for row in rows)
    header += ["original study: 32 tasks", "loss", "time"] if has_study else []
    table = as_markdown(Table(header, [_row(row, has_study) for row in rows]))
    return f"{table}\n\n{_about(comparison, rows)}"


def _row(row: Record, has_study: bool) -> list[str]:
    inductive, printed = formatting.percent(row["inductive_accuracy"]["mean"]), row["writeup"]
    times = "; ".join(f"{time['train_seconds']['mean']:,.0f} s" for time in row["times"])
    ours = [row["label"], estimate(row["accuracy"]), inductive, f"{row['loss']['mean']:.4f}", times]
    if not has_study:
        return ours
    if printed is None:
        return [*ours, "", "", ""]
    accuracy, seconds = formatting.percent(printed["accuracy"]), f"{printed['train_seconds']:,.0f} s"
    return [*ours, accuracy, f"{printed['loss']:.5f}", seconds]


def _seeds(seeds: list[int]) -> str:
    return f"seed {seeds[0]}" if len(seeds) == 1 else f"{len(seeds)} seeds"


def _about(comparison: Record, rows: list[Record]) -> str:
    """The setting of the comparison, the devices, and the answer."""
    task = f"{comparison['task']['ways']}-way {comparison['task']['shots']}-shot"
    iterations = formatting.listed(list(dict.fromkeys(f"{row['iterations']:,}" for row in rows)))
    over = "clustered by character" if len(rows[0]["seeds"]) == 1 else "over seeds"
    devices = sorted({time["device"] for row in rows for time in row["times"]})
    devices_of_study = sorted({row["writeup"]["device"] for row in rows if row["writeup"]})
    where = f"Training on {formatting.listed(devices)} (`data/models/*/run.json`)"
    if devices_of_study:
        where += f"; the original study's on {formatting.listed(devices_of_study)}, with data loading and validation"
    lines = [
        f"{formatting.dataset(comparison['dataset'])}, {task}, model {comparison['model']}, {iterations} iterations;",
        f"in brackets 95% confidence intervals {over}.",
        f"{where}.",
        f"{comparison['answer']} More is in `data/report/comparison.md`.",
    ]
    return _wrapped(" ".join(lines))
