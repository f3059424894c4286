"""A figure of curves: seeds thin, their mean thick, or a band where there are many seeds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import altair as alt

from metaglot.charts.curves import curves
from metaglot.charts.interaction import nearest_point, zoom
from metaglot.charts.scales import PADDING, error_axis, error_of, linear_axis, log_axis
from metaglot.charts.shapes import shape
from metaglot.report.figures.common import CurveGroup, Row
from metaglot.report.figures.figure import Figure, Switch, colours, shapes, shown, specify
from metaglot.report.tables import Table


@dataclass(frozen=True)
class Quantity:
    """What curves show. title: of the axis. form: of numbers. drawn: the expression of what is drawn of a field."""

    name: str
    title: str
    form: str
    axis: Callable[[str, str | list[str]], tuple[alt.Scale, alt.Axis]]
    drawn: Callable[[str], str] = str

    def text(self, value: float) -> str:
        return format(value, self.form)


ACCURACY = Quantity("accuracy", "accuracy, logarithmic in the error", ".2%", error_axis, error_of)
LOSS = Quantity("loss", "query cross-entropy", ".4f", log_axis)
COSINE = Quantity("cosine", "cosine", ".3f", linear_axis)
NORM_RATIO = Quantity("norm ratio", "norm ratio", ".3f", linear_axis)


def curve_figure(
    id: str,
    title: str,
    x: str | list[str],
    y: Quantity,
    groups: list[CurveGroup],
    more: Sequence[alt.Chart] = (),
    more_data: Mapping[str, list[Row]] | None = None,
    note: str = "",
) -> Figure:
    """x: the axis's title. more: layers below the curves, and their rows. note: a sentence after the last values."""
    groups = [group for group in groups if len(group.mean)]
    data = {"points": [row for group in groups for row in group.rows()]}
    data |= {"bands": bands} if (bands := [row for group in groups for row in group.band_rows()]) else {}
    layers = [*more, *_layers(groups, x, y, "bands" in data)]
    switches = [Switch(group.name, group.label, group.series, shape(group.mark)) for group in groups]
    words = f"{ends(groups, y)} {note}".strip()
    table = means_table(axis_name(x), groups, y)
    return Figure(id, title, words, specify(layers, {**data, **(more_data or {})}), switches, table)


def ends(groups: list[CurveGroup], y: Quantity) -> str:
    """The last values of the curves as a sentence."""
    return "; ".join(f"{group.label} ends at {y.text(group.mean[-1, 1])}" for group in groups) + "."


def means_table(x: str, groups: list[CurveGroup], y: Quantity) -> Table:
    """The means by x; a cell is empty where a curve has no point."""
    columns = [{place: y.text(value) for place, value in group.mean} for group in groups]
    places = sorted(set().union(*columns))
    rows = [[f"{place:,.10g}", *(column.get(place, "") for column in columns)] for place in places]
    return Table([x, *(group.label for group in groups)], rows)


def axis_name(title: str | list[str]) -> str:
    return title if isinstance(title, str) else title[0]


def _layers(groups: list[CurveGroup], x: str | list[str], y: Quantity, has_bands: bool) -> list[alt.Chart]:
    """From back to front: bands, thin curves of seeds, means, and the values of the nearest point of any."""
    scale, axis = y.axis("y", y.title)
    look = (
        alt.X("x:Q", axis=alt.Axis(title=x, tickMinStep=1), scale=alt.Scale(nice=False, padding=PADDING)),
        alt.Y("drawn:Q", scale=scale, axis=axis),
        colours({group.name: group.series for group in groups}),
    )
    points = shown("points").transform_calculate(drawn=y.drawn("datum.y")).encode(*look)
    seeds = points.transform_filter("datum.seed").mark_line(strokeWidth=0.8, opacity=0.5, clip=True)
    bands = shown("bands").transform_calculate(drawn=y.drawn("datum.low"), high=y.drawn("datum.high"))
    marks = shapes({group.name: group.mark for group in groups})
    values = {"title": ("run", ""), axis_name(x): ("x", ",~g"), y.name: ("y", y.form)}
    return [
        *([bands.mark_area(opacity=0.2, clip=True).encode(*look, y2="high")] if has_bands else []),
        seeds.encode(detail="run:N"),
        *curves(points.transform_filter("!datum.seed"), shape=marks),
        nearest_point(points, values).add_params(zoom("x", "y")),
    ]
