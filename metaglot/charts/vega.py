"""What draws a chart: Vega's JavaScript for a browser, and PNGs."""

import hashlib
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import Any

import altair as alt
import vl_convert

from metaglot.core.common.atomic_files import read_text, write_text
from metaglot.core.common.errors import UserError
from metaglot.core.common.user_cache import user_cache

VEGA_LITE = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])  # the version that Altair writes


@cache
def javascript(snippet: str) -> str:
    """One module for an HTML script element: Vega, Vega-Lite, vegaEmbed, and a snippet that uses them.

    It takes seconds to make, so it is kept in the user's cache, under a digest of all that it is made from.
    """
    digest = hashlib.sha256(f"{version('vl-convert-python')} {VEGA_LITE} {snippet}".encode()).hexdigest()
    with suppress(OSError, RuntimeError, UserError):  # a home that is missing or full
        path = user_cache() / f"vega-{digest[:16]}.js"
        if not path.exists():
            write_text(path, _bundle(snippet))
        return read_text(path)
    return _bundle(snippet)


def _bundle(snippet: str) -> str:
    return vl_convert.javascript_bundle(snippet, vl_version=VEGA_LITE).replace("</script", "<\\/script")


def png(specification: dict[str, Any], scale: float) -> bytes:
    """A picture that is `scale` times as large as the chart."""
    return vl_convert.vegalite_to_png(specification, vl_version=VEGA_LITE, scale=scale)
