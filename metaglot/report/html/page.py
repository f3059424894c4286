"""index.html: one file that needs no network; without scripts it has tables in place of charts."""

import re
from pathlib import Path
from typing import Any

from altair.utils.schemapi import debug_mode
from markupsafe import Markup, escape

from metaglot.charts.vega import javascript
from metaglot.core.tasks.split_parts import SplitPart
from metaglot.report import formatting
from metaglot.report.figures.adaptation import adaptation
from metaglot.report.figures.differences import differences
from metaglot.report.figures.durations import durations
from metaglot.report.figures.figure import SERIES
from metaglot.report.figures.gradients import gradients
from metaglot.report.figures.learning import learning
from metaglot.report.figures.scores import scores
from metaglot.report.figures.sequences import sequences
from metaglot.report.footnotes import family_notes, more_metrics_notes, notes, validation_notes
from metaglot.report.html.drawing_gallery import gallery, hardest
from metaglot.report.html.environment import script_hash, template_environment
from metaglot.report.load_runs import LoadedRun
from metaglot.report.markdown import BASELINES, MORE_METRICS, SEQUENCES, banner
from metaglot.report.original_study import TITLE
from metaglot.report.pair_tables import baselines_table, best_first, others_table, pairs_table
from metaglot.report.provenance_tables import provenance
from metaglot.report.published_results import published_results
from metaglot.report.sequence_tables import (
    matrix_tables,
    sequence_pairs_tables,
    sequences_answer,
    sequences_note,
    sequences_table,
)
from metaglot.report.statistics.over_seeds import by_algorithm
from metaglot.report.tables import main_table, more_metrics_table, runs_table, uncertainty_table

TEMPLATES = Path(__file__).with_name("templates")


def render_page(
    comparison: dict[str, Any], runs: list[LoadedRun], characters: SplitPart, experiment: str | None
) -> str:
    """The page. characters: the test split, for the pictures. experiment: the name of the DVC experiment."""
    environment = template_environment(TEMPLATES)
    environment.filters |= {"percent": formatting.percent, "unbroken": unbroken, "code": code}
    environment.globals |= {"style": (TEMPLATES / "style.css").read_text(), "palette": SERIES}
    with debug_mode(False):  # Altair would check each part of each chart; the tests draw them
        content = page_content(comparison, runs, characters, experiment)
    script = javascript((TEMPLATES / "charts.js").read_text())
    return environment.get_template("index.html").render(content, script=script, script_hash=script_hash(script))


def page_content(
    comparison: dict[str, Any], runs: list[LoadedRun], characters: SplitPart, experiment: str | None
) -> dict[str, Any]:
    """What the template shows, by name."""
    several = any(len(row["seeds"]) > 1 for row in comparison["algorithms"])
    on_omniglot = comparison["dataset"] == "omniglot" and "test_split" not in comparison["evaluate"]
    return dict(
        comparison=comparison,
        runs=run_names(runs) if several else [],
        banner=banner(comparison),
        main=main_table(comparison),
        notes=notes(comparison),
        more=more_metrics_table(comparison),
        more_title=MORE_METRICS,
        more_notes=more_metrics_notes(comparison),
        scores=scores(comparison),
        learning=learning(runs),
        differences=differences(best_first(comparison), comparison["margin"]),
        pairs=pairs_table(comparison),
        others=others_table(comparison),
        uncertainty=uncertainty_table(comparison) if several else None,
        families=family_notes(comparison["pairs"]),
        validation=validation_notes(runs),
        against=baselines_table(comparison),
        against_title=BASELINES,
        adaptation=adaptation(runs),
        sequences=sequences_content(comparison, runs),
        gradients=gradients(runs),
        durations=durations(runs),
        run_rows=runs_table(comparison),
        gallery=gallery(runs, characters),
        hardest=hardest(runs, characters),
        published=published_results() if on_omniglot else None,
        provenance=provenance(comparison, runs, experiment),
        study=TITLE,
        in_colour=characters.images.shape[-1] == 3,
    )


def sequences_content(comparison: dict[str, Any], runs: list[LoadedRun]) -> dict[str, Any] | None:
    """The section on sequences of tasks, if they were scored."""
    if not (compared := comparison.get("sequences")):
        return None
    return dict(
        title=SEQUENCES,
        answer=sequences_answer(compared),
        note=sequences_note(compared),
        figures=sequences(runs),
        table=sequences_table(compared),
        pairs=sequence_pairs_tables(compared),
        matrices=matrix_tables(compared),
    )


def run_names(runs: list[LoadedRun]) -> list[tuple[int, str]]:
    """Each run with the place of its algorithm in the palette."""
    return [(number, run.name) for number, seeds in enumerate(by_algorithm(runs)) for run in seeds]


def code(text: str) -> Markup:
    """Show the parts between backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def unbroken(text: str) -> Markup:
    """Keep `5-way` and `1-shot` on one line, with an ordinary hyphen, so that a search finds them."""
    return Markup(re.sub(r"\d+-(way|shot)", r'<span class="whole">\g<0></span>', str(escape(text))))
