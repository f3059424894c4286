"""Dots on the bars of their intervals: scores in the report and in DVC's plots."""

import altair as alt


def intervals(bars: alt.Chart, dots: alt.Chart, opacity: float = 1) -> list[alt.Chart]:
    """Layers with the marks of both. opacity: of dots."""
    return [
        bars.mark_bar(height=10, opacity=0.35, clip=True),
        dots.mark_point(filled=True, size=60, opacity=opacity, clip=True),
    ]
