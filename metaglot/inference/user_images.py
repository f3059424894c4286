"""Turn a user's images, of any size and colour mode, into the network's input.

Omniglot's drawings are black ink on white paper, one bit per pixel. Every image becomes such a drawing first and is
then shrunk by the same function, so an image like Omniglot's gives the same bytes as preprocessing.
"""

from collections.abc import Callable, Iterable
from os import PathLike, fspath
from typing import Any, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from metaglot.core.common.errors import UserError
from metaglot.core.common.stage_configs import ImageForm
from metaglot.datasets.image_files import check_size, read_image, upright_and_reduced
from metaglot.datasets.image_input import image_input
from metaglot.datasets.normalise_image import Levels, array_brightness, as_bytes, draw_ink, image_brightness
from metaglot.datasets.omniglot_layout import shrink_drawing
from metaglot.datasets.registry import USER_ARRAYS, load_dataset_by_name

OF_OTHERS = "omniglot"  # how images are made ready that are not arrays as `metaglot.meta_train` takes them
UserImage = str | PathLike[str] | Image.Image | NDArray[Any]


def load_images(
    images: Iterable[UserImage], size: int, dataset: str = "omniglot", form: ImageForm | None = None
) -> Tensor:
    """Images as a network's input: float32 [images, size, size], ink = 1, shrunk as the data set's.

    form: of the images of a folder that the network was trained on; in colour [images, size, size, 3]. Raises
    UserError, which begins with the image's name, if an image cannot be used.
    """
    if isinstance(images, str | PathLike | Image.Image):
        raise UserError(f"{_name(images)} is one image; pass a list of images: [image]")
    if not isinstance(images, Iterable):
        raise UserError(f"got {images!r}; pass a list of images")
    prepare = _prepare_as(dataset, size, form)
    shrunk = [_named(prepare, image, n) for n, image in enumerate(images, start=1)]
    channels = () if form is None or form.channels == 1 else (form.channels,)
    pixels = torch.from_numpy(np.stack(shrunk) if shrunk else np.zeros((0, size, size, *channels), np.uint8))
    return pixels.float().mul_(1 / 255)


def _prepare_as(dataset: str, size: int, form: ImageForm | None) -> Callable[[UserImage], NDArray[np.uint8]]:
    """How a data set's images were made ready."""
    if dataset == USER_ARRAYS:
        others = _prepare_as(OF_OTHERS, size, form)
        return lambda image: image if _is_as_trained(image, size) else others(image)
    if form is None:
        shrink = load_dataset_by_name(dataset).shrink
        return lambda image: shrink(normalise_image(image), size)
    if form.channels == 1 and form.ink != "none":
        ink = form.ink
        return lambda image: shrink_drawing(draw_ink(*brightness(image), ink), size)
    return lambda image: image_input(_as_image(image), size, form)


def _is_as_trained(image: UserImage, size: int) -> TypeGuard[NDArray[np.uint8]]:
    """Whether it is an array like those that `metaglot.meta_train` took: bytes, 255 = ink, of the network's size."""
    return isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.shape == (size, size)


def _named(prepare: Callable[[UserImage], NDArray[np.uint8]], image: UserImage, number: int) -> NDArray[np.uint8]:
    """An image made ready, with errors that begin with its name."""
    try:
        return prepare(image)
    except UserError as error:
        raise UserError(f"{_name(image, number)} {error}") from None


def _name(image: UserImage, number: int | None = None) -> str:
    """A file's path, or the image's place in its list."""
    if isinstance(image, str | PathLike):
        return fspath(image) or "''"
    if filename := getattr(image, "filename", ""):
        return str(filename)
    return f"image {number}" if number else "this"


def normalise_image(image: UserImage) -> Image.Image:
    """An image as black ink on white paper, square, mode L.

    image: a path, a PIL image of any mode, or an array: [height, width] of any numbers, or [height, width, 1 to 4]
    (L, LA, RGB, RGBA) of bytes or of floats from 0 to 1.

    - Paper is the median brightness. Ink is the brightness farthest from it, so light on dark works as well as dark
      on light. An image with more ink than paper counts as its negative.
    - Brightness between the two is kept in proportion; brightness beyond the paper becomes paper. Grey paper and faint
      pencils do not matter; shadows do.
    - If most of an image is transparent, that part is paper and the opaque part is ink, of whatever colour. If less
      is transparent, that part gets the brightness of the paper around it.
    - The shorter side is padded with paper, equally at both ends. Nothing is cropped, stretched or centred, so a
      character should fill its image about as in Omniglot.
    - A photograph is rotated according to its EXIF orientation. The first of several frames is used.
    - An image with a side over 4,000 pixels is reduced first.

    Raises UserError if the image cannot be read, is too large, or shows nothing but paper.
    """
    return draw_ink(*brightness(image))


def brightness(image: UserImage) -> tuple[Levels, float]:
    """The brightness of each pixel, and the largest possible one."""
    if isinstance(image, str | PathLike | Image.Image):
        return image_brightness(_as_image(image))
    return array_brightness(_as_array(image))


def _as_image(image: UserImage) -> Image.Image:
    """A path, a PIL image, or an array of bytes or of floats from 0 to 1 as an upright PIL image."""
    if isinstance(image, str | PathLike):
        return read_image(image)
    try:
        if isinstance(image, Image.Image):
            return upright_and_reduced(image)
    except UserError:
        raise
    except Exception as error:  # Pillow reads the file only now, and raises almost anything for a damaged one
        raise UserError(f"cannot be read: {error}") from None
    pixels = as_bytes(_whole_grey_levels(_as_array(image)))
    return upright_and_reduced(Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels))


def _whole_grey_levels(array: NDArray[Any]) -> NDArray[Any]:
    """A grey image of whole numbers from 0 to 255, as a request has it, in bytes; any other as it is."""
    is_grey = array.ndim == 2 and array.dtype.kind in "iu" and 0 <= array.min() <= array.max() <= 255
    return array.astype(np.uint8) if is_grey else array


def _as_array(image: Any) -> NDArray[Any]:
    """A NumPy array of an array of any library, checked."""
    try:
        array = np.asarray(image.detach().cpu() if isinstance(image, Tensor) else image)
    except (ValueError, TypeError, RuntimeError) as error:
        raise UserError(f"is a {type(image).__name__}, not an image ({' '.join(str(error).split()):.120})") from None
    if not array.ndim:
        raise UserError(f"is a {type(image).__name__}, not an image: pass a path, a PIL image or an array")
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or not 1 <= channels <= 4 or not array.size:
        shape = "x".join(map(str, array.shape))
        raise UserError(f"is an array of shape {shape or '()'}; takes height x width, or height x width x 1 to 4")
    if array.dtype.kind not in "biuf":
        raise UserError(f"is an array of {array.dtype}; takes numbers")
    check_size(*array.shape[1::-1])
    return array
