"""From an image of a folder, or of a user, to bytes as a network takes them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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
    scale = 257 if levels.max() > 255 else 1  # of 16 bits
    return Image.fromarray(np.rint(levels / scale).clip(0, 255).astype(np.uint8))
