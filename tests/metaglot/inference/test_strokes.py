"""Pen strokes become drawings like Omniglot's, whatever their unit and place."""

import numpy as np
import pytest

from metaglot.inference.strokes import EXTENT, PAPER, PEN, draw_strokes

CORNER = [[(10, 10), (10, 90), (60, 90)]]


def sides(image: np.ndarray) -> tuple[int, int, int, int]:
    """The first and last row and column with ink."""
    rows, columns = np.nonzero(image == 0)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_a_drawing_is_one_bit_black_on_white():
    image = draw_strokes(CORNER)
    assert image.shape == (PAPER, PAPER) and image.dtype == np.uint8
    assert set(np.unique(image)) == {0, 255}


@pytest.mark.parametrize("scale, shift", [(1, 0), (8, -300), (0.25, 17)])
def test_unit_and_place_do_not_matter(scale: float, shift: float):
    moved = [[(x * scale + shift, y * scale + shift) for x, y in stroke] for stroke in CORNER]
    assert np.array_equal(draw_strokes(moved), draw_strokes(CORNER))


def test_the_longer_side_has_the_extent_of_omniglot_s_and_is_centred():
    top, bottom, left, right = sides(draw_strokes(CORNER))
    assert bottom - top + 1 == EXTENT + PEN and (top + bottom) / 2 == (PAPER - 1) / 2 == (left + right) / 2
    assert right - left < bottom - top


def test_a_line_is_as_wide_as_the_pen():
    image = draw_strokes([[(0, 0), (1, 0)]])
    assert (image[:, PAPER // 2] == 0).sum() == PEN


def test_a_dot_is_a_disc_in_the_middle():
    image = draw_strokes([[(3, 4)]])
    assert (image == 0).sum() == 21 and image[PAPER // 2, PAPER // 2] == 0


def test_nothing_drawn_is_white():
    assert (draw_strokes([[]]) == 255).all()
