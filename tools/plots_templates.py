"""Write the templates in .dvc/plots, by which `dvc plots` draws: the charts of the report with DVC's anchors in them.

python -m tools.plots_templates
"""

import json
from pathlib import Path
from typing import Any

import altair as alt

from metaglot.charts.curves import curves
from metaglot.charts.interaction import nearest_point, tooltip, zoom
from metaglot.charts.intervals import intervals
from metaglot.charts.scales import linear_axis

FOLDER = Path(".dvc/plots")
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # the version that DVC and its editor extension draw
DATA, TITLE, X, Y, X_LABEL, Y_LABEL = (
    f"<DVC_METRIC_{anchor}>" for anchor in ("DATA", "TITLE", "X", "Y", "X_LABEL", "Y_LABEL")
)
ROWS = alt.NamedData(name="rows")  # of all layers; the anchor takes its place
REVISION = "rev"
HEADING = {"title": (REVISION, "")}
WIDTH, HEIGHT = 480, 300


def templates() -> dict[str, dict[str, Any]]:
    """Each template by its name."""
    return {"runs": curve_template("run"), "layers": curve_template("layer"), "intervals": interval_template()}


def curve_template(group: str) -> dict[str, Any]:
    """Curves by a column, dashed by revision. A click on the legend shows only that group; Shift adds groups."""
    legend = alt.selection_point(name="legend", fields=[group], bind="legend")
    scale, axis = linear_axis("y", Y_LABEL)
    dash = alt.StrokeDash(field=REVISION, type="nominal", title=None)
    base = alt.Chart(ROWS).transform_filter(f"datum['{Y}'] !== ''").transform_filter(legend)
    base = base.encode(
        alt.X(field=X, type="quantitative", title=X_LABEL),
        alt.Y(field=Y, type="quantitative", scale=scale, axis=axis),
        alt.Color(field=group, type="nominal", title=None),
    )
    values = HEADING | {group: (group, ""), X: (X, ",~g"), Y: (Y, ".4f")}
    points = nearest_point(base, values).add_params(zoom("x", "y"), legend)
    return _filled(alt.layer(*curves(base, dash=dash), points, width=WIDTH, height=HEIGHT))


def interval_template() -> dict[str, Any]:
    """A row for each run, the best first, with the columns `low` and `high` as its interval."""
    rows = alt.EncodingSortField(field=X, op="max", order="descending")
    values = HEADING | {Y: (Y, ""), **{name: (name, ".4f") for name in (X, "low", "high")}}
    base = alt.Chart(ROWS).encode(
        alt.Y(field=Y, type="nominal", title=None, sort=rows),
        alt.YOffset(field=REVISION),
        alt.Color(field=REVISION, type="nominal", title=None),
        tooltip=tooltip(values),
    )
    bars = base.encode(alt.X("low:Q", title=X_LABEL, scale=alt.Scale(zero=False)), x2="high")
    dots = base.encode(alt.X(field=X, type="quantitative")).add_params(zoom("x")).properties(name="dots")
    return _filled(alt.layer(*intervals(bars, dots), width=WIDTH, height=alt.Step(20)))


def _filled(chart: alt.LayerChart | alt.FacetChart) -> dict[str, Any]:
    """With the anchors that altair does not know."""
    specification = {name: part for name, part in chart.to_dict().items() if name not in ("$schema", "config")}
    data = {"data": {"values": DATA}, "title": {"text": TITLE, "anchor": "middle"}}
    return {"$schema": SCHEMA, **specification, **data}


def main() -> None:
    for name, template in templates().items():
        (FOLDER / f"{name}.json").write_text(json.dumps(template, indent=2) + "\n")


if __name__ == "__main__":
    main()
