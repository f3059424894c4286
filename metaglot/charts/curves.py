"""Curves with a mark at each point: the chart that the report, DVC's plots and MLflow's pictures have in common."""

import altair as alt

MARK = 45  # area in pixels


def curves(base: alt.Chart, shape: alt.Shape | None = None, dash: alt.StrokeDash | None = None) -> list[alt.Chart]:
    """Lines and their marks. base: data, axes and colour. shape, dash: what else tells the curves apart."""
    lines = base.mark_line(strokeWidth=1.7, clip=True)
    marks = base.mark_point(filled=True, opacity=1, size=MARK, clip=True)
    return [lines.encode(dash) if dash else lines, marks.encode(shape) if shape else marks]
