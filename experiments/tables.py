"""An experiment's block of a page: its question, command, answer, tables and source."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from experiments.command_text import code_text, command_text
from experiments.compare import compare_experiments
from experiments.load_record import ExperimentRecord
from experiments.published_table import cell_table, curve_table
from experiments.replicate_tables import replicate_tables
from experiments.tuning_tables import tuning_block
from experiments.variance_tables import variance_block
from experiments.varied_tables import varied_block
from metaglot.report import formatting
from metaglot.report.markdown import BASELINES, SEQUENCES, as_markdown, sequences_parts
from metaglot.report.pair_tables import baselines_table, pairs_table
from metaglot.report.tables import Record, main_table, more_metrics_table, runs_table


def experiment_block(record: ExperimentRecord, known: dict[str, ExperimentRecord]) -> str:
    """Markdown; only the question and command if the experiment was not run."""
    numbers = _numbers(record, known) if record.has_results else [f"**Not run**: {record.expected_time}."]
    return "\n\n".join([record.experiment.question, command_text(record), *numbers])


def _numbers(record: ExperimentRecord, known: dict[str, ExperimentRecord]) -> list[str]:
    if record.experiment.crossed:
        return [*variance_block(record), source_text(record)]
    so_far = record.runs_so_far()
    parts = [f"**So far {so_far}.**"] if so_far else []
    if record.experiment.vary:
        return [*parts, *varied_block(record), source_text(record)]
    if record.experiment.grid:
        return parts + tuning_block(record)
    compared = record.comparison
    parts += [compared["answer"], *(replicate_tables(record) if record.is_replicated else _seed_tables(record))]
    if compared.get("baselines"):
        parts += [f"{BASELINES}. {compared['baselines']['answer']}", as_markdown(baselines_table(compared))]
    if sequences := compared.get("sequences"):
        parts += [f"**{SEQUENCES}.**", *sequences_parts(sequences)]
    if record.experiment.compare_with:
        parts.append(compare_experiments(record, known[record.experiment.compare_with]))
    return [*parts, _details("Every run", as_markdown(runs_table(compared))), source_text(record)]


def _seed_tables(record: ExperimentRecord) -> list[str]:
    """The algorithms and their pairs, of an experiment with one split and one draw of test tasks."""
    compared = record.comparison
    if record.experiment.cell:
        parts = [as_markdown(cell_table(record)), as_markdown(curve_table(record))]
    else:
        parts = [as_markdown(table) for table in (main_table(compared), more_metrics_table(compared)) if table]
    if compared["pairs"]:
        parts.append(as_markdown(pairs_table(compared)))
    return parts


def _details(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def source_text(record: ExperimentRecord) -> str:
    """The folder of the numbers, the code, devices, threads and PyTorch that computed them, and how long it took."""

    def distinct(of: Callable[[Record], Any]) -> str:
        return formatting.listed(sorted({str(of(run)) for run in record.records}))

    device, threads = distinct(itemgetter("device")), distinct(itemgetter("threads"))
    code, torch = code_text(record.codes), distinct(lambda run: run["versions"]["torch"])
    source = f"`docs/findings/{record.name}/`; {code}; {device}, threads: {threads}, torch {torch}"
    return f"{source}; {_trainings_text(record)}."


def _trainings_text(record: ExperimentRecord) -> str:
    """How many trainings, and the sum of their times; parts may share trainings."""
    seconds = {(run["label"], run["seed"], run["started_at"]): run["train_seconds"] for run in record.records}
    minutes = max(1, round(sum(seconds.values()) / 60))
    return f"{formatting.several(len(seconds), 'training')} of {formatting.several(minutes, 'minute')} in all"
