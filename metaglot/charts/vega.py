"""What draws a chart: Vega's JavaScript for a browser, and PNGs."""

from functools import cache
from typing import Any

import altair as alt
import vl_convert

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])  # the version that Altair writes


@cache
def javascript(snippet: str) -> str:
    """One module for an HTML script element: Vega, Vega-Lite, vegaEmbed, and a snippet that uses them."""
    return vl_convert.javascript_bundle(snippet, vl_version=VEGA_LITE).replace("</script", "<\\/script")


def png(specification: dict[str, Any], scale: float) -> bytes:
    """A picture that is `scale` times as large as the chart."""
    return vl_convert.vegalite_to_png(specification, vl_version=VEGA_LITE, scale=scale)
