"""One chart as inline SVG: matplotlib draws in placeholder colours, which the page's style sheet replaces.

matplotlib's SVG is a tenth of the size of an interactive library's script, sharp at any size, reproducible to the byte,
and follows the page's dark mode. Tooltips are SVG titles and need no script.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.figure import Figure

WIDTH = 4.8  # inches; the page scales it to its column
LETTERS = 66  # that fit into this width
INK, LINE = "#0c0d0e", "#0c0d0f"  # become currentColor and var(--line)
SERIES = 20  # algorithms with a colour and a marker of their own
MARKERS = "os^Dv<>p*XPhd8H1234+"
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "metaglot",
    "text.parse_math": False,
    "font.size": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "lines.markersize": 3.5,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


@dataclass(frozen=True)
class Chart:
    """A figure of the page: its SVG, and its content in words."""

    id: str
    title: str
    alternative: str
    svg: Markup


def colour(series: int) -> str:
    """The placeholder of an algorithm's colour, which is the same in all charts."""
    return f"#0a0b{series % SERIES:02x}"


def marker(series: int) -> str:
    return MARKERS[series % SERIES]


class ChartBuilder:
    """A figure with one pair of axes and tooltips."""

    def __init__(self, id: str, height: float):
        self.id = id
        self.figure = Figure(figsize=(WIDTH, height), layout="constrained")
        self.axes = self.figure.subplots()
        self.tips: list[str] = []

    def tip(self, artist: Artist, text: str) -> None:
        """Show a text when the pointer is on an artist."""
        artist.set_gid(f"tip-{len(self.tips)}")
        self.tips.append(text)

    def label(self, x: str, y: str) -> None:
        self.axes.set_xlabel(x)
        self.axes.set_ylabel(y)

    def line_at(self, y: float) -> None:
        """A horizontal reference line."""
        self.axes.axhline(y, color=INK, linewidth=0.8, linestyle=":")

    def finish(self, title: str, alternative: str) -> Chart:
        """The chart with a legend above the axes. alternative: its content in words."""
        handles, names = self.axes.get_legend_handles_labels()
        if names:
            columns = LETTERS // (max(map(len, names)) + 8)  # a sample of the line takes as much as 8 letters
            self.figure.legend(handles, names, loc="outside upper left", ncols=max(1, min(4, columns)))
        return Chart(self.id, title, alternative, self._svg(title, alternative))

    def _svg(self, title: str, alternative: str) -> Markup:
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", buffer.getvalue(), flags=re.DOTALL)
        for number, tip in enumerate(self.tips):
            opening = f'<g id="tip-{number}">'
            svg = svg.replace(opening, f"{opening}<title>{escape(tip)}</title>")
        svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\1{self.id}-", svg)
        svg = (
            re.sub(r"#0a0b([01][0-9a-f])", lambda match: f"var(--series-{int(match[1], 16)})", svg)
            .replace(INK, "currentColor")
            .replace(LINE, "var(--line)")
        )
        svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--font)", svg)
        width, height = 72 * self.figure.get_size_inches()
        view = f"0 0 {width:g} {height:g}"
        described = f'<svg role="img" aria-label="{escape(title)}. {escape(alternative)}" viewBox="{view}">'
        return Markup(re.sub(r"^.*?<svg[^>]*>", lambda _: described, svg, count=1, flags=re.DOTALL))


@contextmanager
def open_chart(id: str, height: float = 3.0) -> Iterator[ChartBuilder]:
    """A chart in the page's style; id: unique on the page."""
    with rc_context(STYLE):
        yield ChartBuilder(id, height)
