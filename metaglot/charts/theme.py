"""Colours and letters of a chart: those of a page's style sheet, or fixed ones."""

from dataclasses import dataclass
from typing import Any

SIZE = 12  # pixels


@dataclass(frozen=True)
class Theme:
    """ink: of text and references. line: of the grid. series: a colour for each group, used again from the start."""

    ink: str
    line: str
    font: str
    background: str
    series: tuple[str, ...]

    def colour(self, number: int) -> str:
        return self.series[number % len(self.series)]


PRINT = Theme("#16191d", "#d4d8de", "sans-serif", "white", ("#56b4e9", "#d55e00"))  # Okabe and Ito's palette


def config(theme: Theme) -> dict[str, Any]:
    """Vega-Lite's config of a theme."""
    text = {"labelColor": theme.ink, "titleColor": theme.ink, "labelFontSize": SIZE, "titleFontSize": SIZE}
    colours = {"domainColor": theme.line, "gridColor": theme.line, "tickColor": theme.line, "titleFontWeight": "normal"}
    labels = {"labelSeparation": 4, "labelLimit": 190, "labelFlush": False, "labelPadding": 5}
    return {
        "aria": False,  # a page describes the whole chart, not each mark
        "background": theme.background,
        "font": theme.font,
        "view": {"stroke": None},
        "axis": text | colours | labels,
        "legend": text | {"title": None, "symbolOpacity": 1, "orient": "top"},
        "title": {"color": theme.ink, "anchor": "start", "fontSize": SIZE + 1},
    }
