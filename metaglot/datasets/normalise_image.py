"""Turn an image of any size and colour mode into black ink on white paper, square, as Omniglot's drawings are."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from metaglot.core.common.errors import UserError
from metaglot.datasets.image_files import DEEP, reduction, upright_and_reduced

Ink = Literal["auto", "dark", "light"]
Levels = NDArray[np.float32]  # brightness [height, width], on any scale

MAX_BRIGHTNESS = 1e30  # differences of larger values overflow float32
MIN_CONTRAST = 16  # of 255: a smaller difference from the paper is not ink


def draw_ink(levels: Levels, white: float, ink: Ink = "auto") -> Image.Image:
    """Brightness as black ink on white paper, mode L. white: the largest possible brightness.

    auto: paper is the median brightness, and ink the brightness farthest from it. dark, light: ink is the darkest or
    the brightest, and paper the opposite. Raises UserError if the image shows nothing but paper.
    """
    darkest, brightest = float(levels.min()), float(levels.max())
    if ink == "auto":
        paper = float(np.median(levels))
        inked = darkest if paper - darkest >= brightest - paper else brightest
    else:
        inked, paper = (darkest, brightest) if ink == "dark" else (brightest, darkest)
    if abs(paper - inked) * 255 <= MIN_CONTRAST * white:
        raise UserError("shows nothing: it is one even surface")
    drawn = (levels - inked) * (255 / (paper - inked))
    return pad_to_square(Image.fromarray(np.rint(drawn.clip(0, 255)).astype(np.uint8)))


def pad_to_square(drawing: Image.Image, paper: int | tuple[int, ...] = 255) -> Image.Image:
    side = max(drawing.size)
    padded = Image.new(drawing.mode, (side, side), paper)
    padded.paste(drawing, ((side - drawing.width) // 2, (side - drawing.height) // 2))
    return padded


def image_brightness(image: Image.Image) -> tuple[Levels, float]:
    """The brightness of each pixel, and the largest possible one."""
    if image.mode.startswith(DEEP):
        return array_brightness(np.asarray(image))
    colours = image.convert("RGBA")
    opacity = np.asarray(colours.getchannel("A"), np.float32)
    grey = np.asarray(colours.convert("L"), np.float32)
    if opacity.mean() < 255 / 2:
        return 255 - opacity, 255
    if opacity.min() < 255:
        paper = float(np.median(grey[opacity > 255 / 2]))
        grey = (paper + (grey - paper) * (opacity / 255)).astype(np.float32)
    return grey, 255


def array_brightness(array: NDArray[Any]) -> tuple[Levels, float]:
    """The same of an array [height, width] of numbers, or [height, width, 1 to 4] of colours."""
    if not np.isfinite(array).all():
        raise UserError(f"has values that are not finite numbers ({array.dtype})")
    if array.dtype.kind == "f" and np.abs(array).max() > MAX_BRIGHTNESS:
        raise UserError(f"has values beyond {MAX_BRIGHTNESS:g}")
    if array.ndim == 3 and array.shape[2] > 1:
        return image_brightness(upright_and_reduced(Image.fromarray(as_bytes(array))))
    levels = array.reshape(array.shape[:2]).astype(np.float32)
    white = 255 if array.dtype == np.uint8 else float(np.abs(levels).max())
    factor = reduction(*array.shape[:2])
    return (levels if factor == 1 else np.asarray(Image.fromarray(levels).reduce(factor))), white


def as_bytes(colours: NDArray[Any]) -> NDArray[np.uint8]:
    """An array of colours as bytes: of bytes, or of floats from 0 to 1."""
    if colours.dtype.kind == "f" and 0 <= colours.min() and colours.max() <= 1:
        return np.rint(colours * 255).astype(np.uint8)
    if colours.dtype != np.uint8:
        raise UserError(f"is an array of colours of {colours.dtype}; takes bytes, or floats from 0 to 1")
    return colours
