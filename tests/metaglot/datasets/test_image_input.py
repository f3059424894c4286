"""Images of any mode become bytes of one shape."""

import numpy as np
import pytest
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import Channels, ImageForm, Ink
from metaglot.datasets.image_input import image_input


def of(image: Image.Image, ink: Ink = "none", channels: Channels = 1, size: int = 8) -> np.ndarray:
    return image_input(image, size, ImageForm(ink=ink, channels=channels))


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_mode_has_the_shape_of_a_network_s_input(mode: str) -> None:
    image = Image.new("L", (20, 10), 255)
    image.paste(0, (5, 0, 10, 10))
    converted = image.convert("I").convert(mode) if mode == "I;16" else image.convert(mode)
    assert of(converted).shape == (8, 8) and of(converted, channels=3).shape == (8, 8, 3)
    assert min(of(converted, "dark").max(), of(converted).max()) > 240


def test_grey_values_stay_and_black_is_full_ink() -> None:
    assert set(of(Image.new("L", (8, 8), 200)).ravel()) == {55}
    assert of(Image.new("RGB", (8, 8), (10, 20, 30)), channels=3)[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("channels", [1, 3])
def test_fractions_of_one_and_16_bits_are_the_brightness_that_they_mean(channels: Channels) -> None:
    fractions = Image.fromarray(np.full((8, 8), 0.2, np.float32))
    deep = Image.fromarray(np.full((8, 8), 200, np.uint16))
    dark = [np.unique(of(image, channels=channels)).item() for image in (fractions, deep)]
    assert dark == ([255 - 51, 254] if channels == 1 else [51, 1])


def test_values_that_are_no_numbers_are_an_error_with_and_without_ink() -> None:
    image = Image.fromarray(np.array([[0.5, np.nan]], np.float32))
    for ink in ("none", "dark"):
        with pytest.raises(UserError, match="has values that are not finite numbers"):
            of(image, ink)


def test_transparency_is_white_where_there_is_no_ink() -> None:
    assert set(of(Image.new("RGBA", (8, 8), (9, 9, 9, 0))).ravel()) == {0}


def test_the_shorter_side_is_padded_with_the_median_colour() -> None:
    image = Image.new("RGB", (16, 8), (10, 200, 30))
    assert np.unique(of(image, channels=3).reshape(-1, 3), axis=0).tolist() == [[10, 200, 30]]


def test_dark_and_light_decide_what_is_ink_where_most_of_the_image_is_ink() -> None:
    image = Image.new("L", (8, 8), 20)
    image.paste(230, (0, 0, 2, 2))
    assert [of(image, ink)[5, 5] for ink in ("auto", "dark", "light")] == [0, 255, 0]


def test_an_even_image_has_no_ink_and_is_an_image_without_it() -> None:
    with pytest.raises(UserError, match="shows nothing"):
        of(Image.new("L", (8, 8), 100), "auto")
    assert of(Image.new("L", (8, 8), 100)).shape == (8, 8)
