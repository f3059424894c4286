"""An experiment's block of a page: its question, command, answer, tables and source."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from experiments.compare import compare_experiments
from experiments.load_record import ExperimentRecord
from experiments.published_table import cell_table, curve_table
from metaglot.report import formatting
from metaglot.report.markdown import BASELINES, as_markdown
from metaglot.report.pair_tables import baselines_table, pairs_table
from metaglot.report.tables import Record, main_table, runs_table


def experiment_block(found: ExperimentRecord, known: dict[str, ExperimentRecord]) -> str:
    """Markdown; for an experiment that was not run, only how to run it."""
    asked = [found.experiment.question, command_text(found)]
    return "\n\n".join(
        [*asked, *(_numbers(found, known) if found.has_results else [f"**Not run**: {found.expected_time}."])]
    )


def command_text(found: ExperimentRecord) -> str:
    """The command, and what it changes in params.yaml."""
    changes = ", ".join(f"`{key}={_value(value)}`" for key, value in found.experiment.settings.items())
    return f"    {found.command}\n\nIt runs `dvc repro` with {changes}."


def _value(value: object) -> str:
    return f"[{','.join(map(str, value))}]" if isinstance(value, list) else str(value)


def _numbers(found: ExperimentRecord, known: dict[str, ExperimentRecord]) -> list[str]:
    partial, compared = found.seeds_so_far(), found.comparison
    parts = [f"**So far {partial}.**"] if partial else []
    parts.append(compared["answer"])
    if found.experiment.cell:
        parts += [as_markdown(cell_table(found)), as_markdown(curve_table(found))]
    else:
        parts.append(as_markdown(main_table(compared)))
    if compared["pairs"]:
        parts.append(as_markdown(pairs_table(compared)))
    if compared.get("baselines"):
        parts += [f"{BASELINES}. {compared['baselines']['answer']}", as_markdown(baselines_table(compared))]
    if found.experiment.compare_with:
        parts.append(compare_experiments(found, known[found.experiment.compare_with]))
    return [*parts, _details("Every run", as_markdown(runs_table(compared))), source_text(found)]


def _details(summary: str, content: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{content}\n\n</details>"


def source_text(found: ExperimentRecord) -> str:
    """Where the numbers are, and the code, devices, threads and PyTorch that computed them."""

    def used(of: Callable[[Record], Any]) -> str:
        return formatting.listed(sorted({str(of(record)) for record in found.records}))

    code = found.about["code"]
    commit = f"commit {code[:12]}" if code else "code in no commit of this project"
    device, threads = used(itemgetter("device")), used(itemgetter("threads"))
    torch = used(lambda record: record["versions"]["torch"])
    return f"`docs/findings/{found.name}/`; {commit}; {device}, threads: {threads}, torch {torch}."
