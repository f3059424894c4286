"""Exact values under the pointer or finger, and zoom."""

import json
from collections.abc import Mapping
from typing import Any, Literal

import altair as alt

MOUSE_LEAVES = "pointerout[event.pointerType !== 'touch']"  # what a finger touched stays
RING = 130  # area in pixels


def zoom(*channels: Literal["x", "y"]) -> alt.Parameter:
    """Drag to move; Ctrl and the wheel, or a pinch on a touchpad, to zoom; a double click shows everything again.

    The wheel alone scrolls the page.
    """
    return alt.selection_interval(
        name="zoom", bind="scales", encodings=channels, zoom="wheel![event.ctrlKey || event.metaKey]", clear="dblclick"
    )


def tooltip(values: Mapping[str, tuple[str, str]]) -> Any:
    """Show fields of a mark under names for the reader; "title" is the heading. values: field and d3 format.

    A cell around a nearest point has the data of its point as datum.datum.
    """
    texts = []
    for name, (field, number_format) in values.items():
        value = f"(datum.datum || datum)[{json.dumps(field)}]"
        texts.append(
            f"{json.dumps(name)}: {f'format({value}, {json.dumps(number_format)})' if number_format else value}"
        )
    return alt.value(alt.ExprRef(f"{{{', '.join(texts)}}}"))


def nearest_point(base: alt.Chart, values: Mapping[str, tuple[str, str]]) -> alt.Chart:
    """A layer that rings the point nearest to the pointer or finger, and shows its values."""
    nearest = alt.selection_point(name="nearest", on="pointerover", clear=MOUSE_LEAVES, nearest=True, empty=False)
    return (
        base.properties(name="points")
        .mark_point(filled=False, size=RING, strokeWidth=1.5, clip=True)
        .encode(opacity=alt.when(nearest).then(alt.value(1)).otherwise(alt.value(0)))
        .encode(tooltip=tooltip(values))
        .add_params(nearest)
    )
