"""The figures in docs/figures/: of every experiment that varies a key or has replicates."""

import hashlib
import json
from pathlib import Path
from typing import Any

import vl_convert

from experiments import replicate_figure, varied_figure
from experiments.load_record import ExperimentRecord
from metaglot.charts.vega import VEGA_LITE
from metaglot.core.common.atomic_files import write_text

FIGURES = Path("docs/figures")


def has_figure(record: ExperimentRecord) -> bool:
    return record.has_results and bool(record.experiment.vary or record.experiment.replicates)


def figure_path(record: ExperimentRecord) -> Path:
    return FIGURES / f"{record.name}.svg"


def write_figure(record: ExperimentRecord) -> None:
    """Draw the figure, unless the one that is there is of these numbers: an SVG's ids change with every drawing."""
    path = figure_path(record)
    if not path.exists() or digest(specification(record)) not in path.read_text():
        write_text(path, figure(record))


def figure(record: ExperimentRecord) -> str:
    """An SVG that ends with the digest of its specification, by which a test knows that it is of these numbers."""
    chart = specification(record)
    drawn = vl_convert.vegalite_to_svg(chart, vl_version=VEGA_LITE)
    return f"{drawn.strip()}\n<!-- specification: {digest(chart)} -->\n"


def specification(record: ExperimentRecord) -> dict[str, Any]:
    kind = varied_figure if record.experiment.vary else replicate_figure
    return kind.specification(record)


def digest(chart: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(chart, sort_keys=True).encode()).hexdigest()
