"""index.html: one file that needs nothing else, neither network nor script."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from metaglot.core.tasks.class_splits import SplitPart
from metaglot.report import formatting
from metaglot.report.figures.adaptation import adaptation
from metaglot.report.figures.differences import differences
from metaglot.report.figures.durations import durations
from metaglot.report.figures.gradients import gradients
from metaglot.report.figures.learning import learning
from metaglot.report.figures.scores import scores
from metaglot.report.figures.svg_chart import SERIES
from metaglot.report.footnotes import of_families, of_validation
from metaglot.report.html.drawing_gallery import gallery, hardest
from metaglot.report.load_runs import LoadedRun
from metaglot.report.markdown import BASELINES, banner
from metaglot.report.original_study import TITLE
from metaglot.report.provenance_tables import provenance
from metaglot.report.published_results import published_results
from metaglot.report.ranking import best_first
from metaglot.report.secondary_tables import others_table, uncertainty_table
from metaglot.report.tables import baselines_table, main_table, notes, pairs_table, runs_table

TEMPLATES = Path(__file__).with_name("templates")


def render_page(
    comparison: dict[str, Any], runs: list[LoadedRun], characters: SplitPart, experiment: str | None
) -> str:
    """The page. characters: the test split, for pictures. experiment: DVC's name of it, where it has one."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = formatting.percent
    environment.filters["whole"] = whole
    environment.filters["code"] = code
    several = any(len(row["seeds"]) > 1 for row in comparison["algorithms"])
    environment.globals["style"] = (TEMPLATES / "style.css").read_text()
    return environment.get_template("index.html").render(
        comparison=comparison,
        banner=banner(comparison),
        main=main_table(comparison),
        notes=notes(comparison),
        scores=scores(comparison),
        learning=learning(runs),
        differences=differences(best_first(comparison), comparison["margin"]),
        pairs=pairs_table(comparison),
        others=others_table(comparison),
        uncertainty=uncertainty_table(comparison) if several else None,
        families=of_families(comparison["pairs"]),
        validation=of_validation(runs),
        against=baselines_table(comparison),
        against_title=BASELINES,
        adaptation=adaptation(runs),
        gradients=gradients(runs),
        durations=durations(runs),
        run_rows=runs_table(comparison),
        gallery=gallery(runs, characters),
        hardest=hardest(runs, characters),
        published=published_results() if comparison["dataset"] == "omniglot" else None,
        provenance=provenance(comparison, runs, experiment),
        palette=SERIES,
        study=TITLE,
    )


def code(text: str) -> Markup:
    """A text whose parts between backticks are code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def whole(text: str) -> Markup:
    """A text whose `5-way` and `1-shot` no line breaks: the hyphen stays the one that a search finds."""
    return Markup(re.sub(r"\d+-(way|shot)", r'<span class="whole">\g<0></span>', str(escape(text))))
