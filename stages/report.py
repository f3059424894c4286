"""Compare all runs of this comparison.

Reads report.yaml, and of each run in it the record, history, alignment, result and scores, and the weights that the
draw page computes with; the test split, for pictures; and what `make bench` measured. Writes index.html, draw.html,
comparison.json, comparison.md, and tables for DVC's plots: curves.csv, accuracy.csv and by_step.csv.
"""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from metaglot.core.common.atomic_files import read_json, write_json, write_text
from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import load_stage_config
from metaglot.core.tasks import split_parts
from metaglot.report.comparison import compare_runs
from metaglot.report.draw_page.networks import read_networks
from metaglot.report.draw_page.render import render_draw_page
from metaglot.report.dvc_plots import accuracy, by_step, curves
from metaglot.report.html.page import render_page
from metaglot.report.load_runs import LoadedRun, read_run
from metaglot.report.markdown import markdown, show
from metaglot.report.speed_benchmark import read_speed_benchmark
from metaglot.report.stage_configs import ReportStageConfig, RunRef
from stages.support import paths
from stages.support.command_line import run_command

BENCH = Path("benchmarks") / "results.json"


def read(row: RunRef) -> LoadedRun:
    name = row.algorithm, row.seed
    files = (paths.run_record, paths.history, paths.alignment, paths.result, paths.scores)
    return read_run(row, *(path(*name) for path in files))


def write() -> None:
    """Everything is made before anything is written."""
    report = load_stage_config(ReportStageConfig, paths.REPORT_CONFIG)
    runs = [read(row) for row in report.rows]
    compared = compare_runs(report, runs, read_speed_benchmark(BENCH))
    test_split = split_parts.load_split_part(Path(runs[0].result.evaluate.test_split))
    html = render_page(compared, runs, test_split, os.environ.get("DVC_EXP_NAME"))
    draw_page = render_draw_page(runs, read_networks(runs, paths.weights))
    texts = {"index.html": html, "draw.html": draw_page, "comparison.md": markdown(compared)}
    tables = {"curves.csv": curves(runs), "accuracy.csv": accuracy(runs), "by_step.csv": by_step(runs)}
    for name, text in (texts | tables).items():
        write_text(paths.REPORT / name, text)
    write_json(paths.COMPARISON, compared)


def main(
    show_only: Annotated[
        bool, typer.Option("--show", help="print the existing comparison, without computing it again")
    ] = False,
) -> None:
    """Compare all runs of this comparison; the answer is in data/report/."""
    if show_only:
        try:
            show(read_json(paths.COMPARISON), Console())
        except KeyError as missing:
            raise UserError(f"{paths.COMPARISON} lacks {missing}: run `dvc repro report`") from None
    else:
        write()


if __name__ == "__main__":
    run_command(main)
