"""From an image of a folder, or of a user, to bytes as a network takes them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import ImageForm
from metaglot.datasets.image_files import DEEP
from metaglot.datasets.normalise_image import draw_ink, image_brightness, pad_to_square
from metaglot.datasets.omniglot_layout import shrink_drawing

Pixels = NDArray[np.uint8]


def image_input(image: Image.Image, size: int, form: ImageForm) -> Pixels:
    """uint8 [size, size], 255 = full ink, or in colour [size, size, 3].

    With `ink: none` grey values stay as they are, black = 255. In colour there is no ink. The shorter side is padded
    with the median colour. Raises UserError if ink is looked for and there is none.
    """
    if form.channels == 3:
        return _shrink(_opaque(image), size)
    if form.ink == "none":
        return 255 - _shrink(_grey(image), size)
    return shrink_drawing(draw_ink(*image_brightness(image), form.ink), size)


def _shrink(image: Image.Image, size: int) -> Pixels:
    bands = np.asarray(image).reshape(-1, len(image.getbands()))
    middle = tuple(int(value) for value in np.median(bands, axis=0))
    square = pad_to_square(image, middle if len(middle) > 1 else middle[0])
    return np.asarray(square.resize((size, size), Image.Resampling.LANCZOS))


def _opaque(image: Image.Image) -> Image.Image:
    """The image in RGB, on white where it is transparent."""
    if image.mode.startswith(DEEP):
        return _grey(image).convert("RGB")
    colours = image.convert("RGBA")
    white = Image.new("RGBA", colours.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, colours).convert("RGB")


def _grey(image: Image.Image) -> Image.Image:
    if not image.mode.startswith(DEEP):
        return _opaque(image).convert("L")
    levels = np.asarray(image).astype(np.float32)
    if not np.isfinite(levels).all():
        raise UserError("has values that are not finite numbers")
    return Image.fromarray(np.rint(levels * _to_bytes(image.mode, levels)).clip(0, 255).astype(np.uint8))


def _to_bytes(mode: str, levels: NDArray[np.float32]) -> float:
    """The factor to brightness of 8 bits: from 16 bits, or from fractions of 1."""
    largest = levels.max()
    if mode.startswith("I;16") or largest > 255:
        return 1 / 257
    return 255 if mode == "F" and largest <= 1 else 1
