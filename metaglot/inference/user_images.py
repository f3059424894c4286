"""Anybody's picture of a character, of any size and colour mode, as the networks were trained to see one.

Omniglot's drawings are black ink on white paper, one bit a pixel. Whatever comes in is brought to that first, and
then shrunk as they are, so a drawing like theirs gives the very bytes that preprocessing gives.
"""

import warnings
from collections.abc import Iterable
from os import PathLike
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot import shrink_drawing

UserImage = str | PathLike[str] | Image.Image | NDArray[Any]
Levels = NDArray[np.float32]  # brightness [height, width], on any scale

DEEP = ("I", "F", "I;16")  # modes with more than a byte a pixel: grey, and never transparent
LONGEST = 12_000  # pixels
FAINT = 16  # of 255: what differs no more than that from the paper is a stain


def load_images(pictures: Iterable[UserImage], size: int, dataset: str = "omniglot") -> Tensor:
    """Pictures as a network takes them: float32 [pictures, size, size], ink = 1; shrunk as the dataset's."""
    if isinstance(pictures, str | PathLike | Image.Image):
        raise UserError(f"{named(pictures)} is one picture where a list of them is taken: [picture]")
    shrunk = [shrink_drawing(normalise_image(picture), size, dataset) for picture in pictures]
    pixels = torch.from_numpy(np.stack(shrunk) if shrunk else np.zeros((0, size, size), np.uint8))
    return pixels.float().mul_(1 / 255)


def normalise_image(picture: UserImage) -> Image.Image:
    """A picture as black ink on white paper, square, mode L.

    picture: a path, a PIL image of any mode, or an array: [height, width] of any numbers, or [height, width, 1 to 4]
    (L, LA, RGB, RGBA) of bytes or of floats from 0 to 1.

    - The paper is what there is most of: the median brightness. The ink is whatever lies farthest from it, so light
      on dark is as good as dark on light; a picture that is more ink than paper is taken for its negative.
    - Brightness between the two is kept in proportion, brightness beyond the paper is paper: grey paper and faint
      pencils do not matter, shadows do.
    - Where most of a picture is transparent, that is the paper and what is opaque is ink, of whatever colour. Where
      less is, it is cut out, and has the brightness of the paper around it.
    - The shorter side is filled up with paper, equally on both ends: nothing is cut off, stretched or centred, so a
      character should fill its picture about as one of Omniglot's does.
    - A photograph is turned upright as its camera noted; of several frames the first is taken.

    Raises UserError where there is no such file or array, it cannot be read, or nothing stands out from the paper.
    """
    levels, full = brightness(picture)
    paper = float(np.median(levels))
    darkest, brightest = float(levels.min()), float(levels.max())
    ink_level = darkest if paper - darkest >= brightest - paper else brightest
    if abs(paper - ink_level) * 255 <= FAINT * full:
        raise UserError(f"{named(picture)} shows nothing: it is one even surface")
    white = (levels - ink_level) * (255 / (paper - ink_level))
    return pad_to_square(Image.fromarray(np.rint(white.clip(0, 255)).astype(np.uint8)))


def pad_to_square(paper: Image.Image) -> Image.Image:
    side = max(paper.size)
    if side > LONGEST:
        raise UserError(f"a picture of {paper.width}x{paper.height} pixels is too large: no side is over {LONGEST}")
    filled = Image.new("L", (side, side), 255)
    filled.paste(paper, ((side - paper.width) // 2, (side - paper.height) // 2))
    return filled


def brightness(picture: UserImage) -> tuple[Levels, float]:
    """How bright each pixel is, and how bright one could be."""
    if not isinstance(picture, str | PathLike | Image.Image):
        return _of_array(np.asarray(picture))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if isinstance(picture, Image.Image):
                return _of_image(picture)
            with Image.open(picture) as opened:
                return _of_image(opened)
    except FileNotFoundError:
        raise UserError(f"{picture} is not there") from None
    except UserError:
        raise
    except Exception as error:  # of damaged files PIL raises almost anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise UserError(f"{named(picture)} is no picture that can be read ({reason[:120]})") from None


def _of_image(image: Image.Image) -> tuple[Levels, float]:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(DEEP):
        return _of_array(np.asarray(image))
    colours = image.convert("RGBA")
    opacity = np.asarray(colours.getchannel("A"), np.float32)
    grey = np.asarray(colours.convert("L"), np.float32)
    if opacity.mean() < 255 / 2:
        return 255 - opacity, 255
    if opacity.min() < 255:
        paper = float(np.median(grey[opacity > 255 / 2]))
        grey = (paper + (grey - paper) * (opacity / 255)).astype(np.float32)
    return grey, 255


def _of_array(array: NDArray[Any]) -> tuple[Levels, float]:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or not array.size:
        shape = "x".join(map(str, array.shape))
        raise UserError(f"an array of {shape} is no picture: height x width, or height x width x 1 to 4")
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise UserError(f"an array of {array.dtype} with other than finite numbers in it is no picture")
    if channels > 1:
        return _of_image(Image.fromarray(_bytes(array), ("LA", "RGB", "RGBA")[channels - 2]))
    levels = array.reshape(array.shape[:2]).astype(np.float32)
    return levels, 255 if array.dtype == np.uint8 else float(np.abs(levels).max())


def _bytes(colours: NDArray[Any]) -> NDArray[np.uint8]:
    if colours.dtype.kind == "f" and 0 <= colours.min() and colours.max() <= 1:
        return np.rint(colours * 255).astype(np.uint8)
    if colours.dtype != np.uint8:
        raise UserError(f"an array of colours is of bytes, or of floats from 0 to 1, not of {colours.dtype}")
    return colours


def named(picture: UserImage) -> str:
    """What a refusal calls it."""
    if isinstance(picture, str | PathLike):
        return str(picture)
    size = picture.size if isinstance(picture, Image.Image) else picture.shape[1::-1]
    return "a picture of {}x{} pixels".format(*size)
