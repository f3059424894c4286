"""Pen strokes as an image like Omniglot's: one bit a pixel, 105x105, black on white.

The draw page draws with the same arithmetic, in the same order, so that both make the same pixels.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Stroke = Sequence[tuple[float, float]]  # points (x, y), in any unit, y downwards

PAPER = 105  # pixels of a side, as Omniglot's drawings
PEN = 5.0  # pixels: the median width of Omniglot's strokes
EXTENT = 64.0  # pixels: with the pen's width, the median of the longer side of Omniglot's characters
CENTRE = (PAPER - 1) / 2


def draw_strokes(strokes: Sequence[Stroke]) -> NDArray[np.uint8]:
    """uint8 [105, 105], ink 0, paper 255. The strokes are centred, and the longer side is brought to EXTENT."""
    ink = np.zeros((PAPER, PAPER), bool)
    for stroke in fit_to_paper(strokes):
        for start, end in zip(stroke, stroke[1:] if len(stroke) > 1 else stroke, strict=False):
            _add_segment(ink, start, end)
    return np.where(ink, 0, 255).astype(np.uint8)


def fit_to_paper(strokes: Sequence[Stroke]) -> list[NDArray[np.float64]]:
    """Each stroke [points, 2] in pixels. A single dot is only centred."""
    arrays = [np.array(stroke, np.float64).reshape(-1, 2) for stroke in strokes if len(stroke)]
    if not arrays:
        return []
    points = np.concatenate(arrays)
    low, high = points.min(0), points.max(0)
    longer = (high - low).max()
    scale = EXTENT / longer if longer > 0 else 1.0
    return [(array - (low + high) / 2) * scale + CENTRE for array in arrays]


def _add_segment(ink: NDArray[np.bool_], start: NDArray[np.float64], end: NDArray[np.float64]) -> None:
    """Blacken the pixels whose centre is at most half a pen's width from the segment."""
    (x0, y0), (dx, dy) = start, end - start
    rows, columns = np.ogrid[:PAPER, :PAPER]
    squared = dx * dx + dy * dy
    along = ((columns - x0) * dx + (rows - y0) * dy) / squared if squared > 0 else np.zeros((PAPER, PAPER))
    nearest = along.clip(0, 1)
    from_x, from_y = columns - (x0 + nearest * dx), rows - (y0 + nearest * dy)
    ink |= from_x * from_x + from_y * from_y <= PEN * PEN / 4
