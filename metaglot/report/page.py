"""index.html: one file that needs nothing else, neither network nor script."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from metaglot.report import words
from metaglot.report.canvas import SERIES
from metaglot.report.figures.adaptation import adaptation
from metaglot.report.figures.differences import differences
from metaglot.report.figures.durations import durations
from metaglot.report.figures.gradients import gradients
from metaglot.report.figures.learning import learning
from metaglot.report.figures.scores import scores
from metaglot.report.pictures import gallery, hardest
from metaglot.report.provenance import provenance
from metaglot.report.published import CELLS, PROTOCOLS, PUBLISHED
from metaglot.report.runs import Run
from metaglot.report.table import main_table, notes, pairs_table, runs_table
from metaglot.report.text import banner
from metaglot.splits import Characters

TEMPLATES = Path(__file__).with_name("templates")


def page(comparison: dict[str, Any], runs: list[Run], characters: Characters, experiment: str | None) -> str:
    """The page. characters: the test split, for pictures. experiment: DVC's name of it, where it has one."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = words.percent
    environment.globals["style"] = (TEMPLATES / "style.css").read_text()
    return environment.get_template("index.html").render(
        comparison=comparison,
        banner=banner(comparison),
        main=main_table(comparison),
        notes=notes(comparison),
        scores=scores(comparison),
        learning=learning(runs),
        differences=differences(comparison["pairs"], comparison["margin"]),
        pairs=pairs_table(comparison),
        adaptation=adaptation(runs),
        gradients=gradients(runs),
        durations=durations(runs),
        run_rows=runs_table(comparison),
        gallery=gallery(runs, characters),
        hardest=hardest(runs, characters),
        cells=CELLS,
        published=PUBLISHED if comparison["dataset"] == "omniglot" else [],
        protocols=PROTOCOLS,
        provenance=provenance(comparison, runs, experiment),
        palette=SERIES,
    )
