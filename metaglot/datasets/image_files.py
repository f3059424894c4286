"""Open image files of any size in bounded memory, with an error message for each kind of unreadable file."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from metaglot.core.common.errors import UserError

MAX_PIXELS = 125_000_000  # a decoded pixel takes 4 bytes, and 16 in a WebP file
MAX_JPEG_PIXELS = 250_000_000  # more than any phone camera has; a JPEG is decoded at a fraction of its size
MAX_SIDE = 4_000  # pixels; larger images are reduced to it first
DEEP = ("I", "F")  # modes with more than one byte per pixel and channel: grey, and never transparent
ORIENTATION = 0x0112  # the EXIF tag

SUPPORTED = "PNG, JPEG, TIFF, WebP, GIF, BMP"
RUNS_A_PROGRAM = ("EPS", "WMF")  # Pillow hands these to another program
UNSUPPORTED = {  # the first bytes of such files; "ftyp" follows four other bytes
    "EPS or PostScript": (b"%!PS", b"\xc5\xd0\xd3\xc6"),
    "PDF": (b"%PDF",),
    "HEIC": tuple(b"ftyp" + brand for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")),
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL "),
    "camera raw": (b"ftypcrx ", b"FUJIFILMCCD-RAW"),
    "AVIF or video": (b"ftyp", b"\x1aE\xdf\xa3"),
    "DjVu": (b"AT&TFORM",),
    "GIMP": (b"gimp xcf",),
    "Photoshop": (b"8BPS",),
    "ZIP or office document": (b"PK\x03\x04",),
    "gzip": (b"\x1f\x8b",),
}


def read_image(path: str | PathLike[str]) -> Image.Image:
    """The first frame of an image file, upright and reduced. Its UserErrors do not name the file."""
    if not os.path.isfile(path):
        raise UserError(_not_a_file(path))
    try:
        with pixel_limit(), Image.open(path) as image:
            if image.format in RUNS_A_PROGRAM or isinstance(image, ImageFile.StubImageFile):
                raise UserError(_unsupported(str(image.format)))
            return upright_and_reduced(image)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(f"has more pixels than the limit of {MAX_PIXELS:,}: reduce it first") from None
    except Exception as error:  # Pillow raises almost anything for a damaged file
        raise UserError(_unreadable(path, error)) from None


def upright_and_reduced(image: Image.Image) -> Image.Image:
    """The image in its EXIF orientation, with no side over MAX_SIDE."""
    check_size(*image.size, MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS)
    factor = reduction(*image.size)
    if factor == 1:
        return ImageOps.exif_transpose(image)
    width, height = image.size
    image.draft(None, (-(-width // factor), -(-height // factor)))  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
    image.load()  # Pillow rotates a TIFF itself and then forgets its orientation
    orientation = image.getexif().get(ORIENTATION, 1)
    reduced = _reduced(image, reduction(*image.size))
    reduced.getexif()[ORIENTATION] = orientation
    return ImageOps.exif_transpose(reduced)


def check_size(width: int, height: int, limit: int = MAX_PIXELS) -> None:
    if width * height > limit:
        raise UserError(f"has {width}x{height} pixels, more than the limit of {limit:,}: reduce it first")


def reduction(width: int, height: int) -> int:
    """The number of pixels in a row that become one, so that no side is over MAX_SIDE."""
    return -(-max(width, height) // MAX_SIDE)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """Means of factor x factor pixels. One strip at a time is converted, so that memory holds the image once."""
    width, height = image.size
    deep = image.mode.startswith(DEEP)
    small = Image.new("F" if deep else "RGBA", (-(-width // factor), -(-height // factor)))
    rows = factor * max(1, 64 // factor)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        whole = Image.fromarray(np.asarray(strip).astype(np.float32)) if deep else strip.convert("RGBA")
        small.paste(whole.reduce(factor), (0, top // factor))
    return small


@contextmanager
def pixel_limit() -> Iterator[None]:
    """Replace Pillow's pixel limit by ours, and silence its warnings about metadata."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_JPEG_PIXELS
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _not_a_file(path: str | PathLike[str]) -> str:
    if os.path.isdir(path):
        return "is a folder, not an image file"
    try:
        os.stat(path)
    except PermissionError:  # of its folder
        return "cannot be read: permission denied"
    except OSError:
        return "is not there"
    return "is not a regular file"


def _unreadable(path: str | PathLike[str], error: Exception) -> str:
    """The reason why Pillow could not read a file."""
    if isinstance(error, PermissionError):
        return "cannot be read: permission denied"
    if not os.path.getsize(path):
        return "is empty: it has no bytes"
    if name := _format(path):
        return _unsupported(name)
    if isinstance(error, UnidentifiedImageError):
        return f"is not a readable image: it is damaged, or its format is none of {SUPPORTED}"
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return f"is not a readable image: it is damaged or incomplete ({reason[:120]})"


def _format(path: str | PathLike[str]) -> str | None:
    """The name of a format that is not supported, from the file's first bytes."""
    with open(path, "rb") as file:
        head = file.read(65_536)
    for name, starts in UNSUPPORTED.items():
        if any(head.startswith(start, 4 if start.startswith(b"ftyp") else 0) for start in starts):
            return name
    text = head.replace(b"\0", b"").lower()  # without what UTF-16 puts between the letters
    return next((name for name, tag in (("HTML", b"<html"), ("SVG", b"<svg")) if tag in text), None)


def _unsupported(name: str) -> str:
    return f"is a file of the format {name}, which is not supported; save it as one of {SUPPORTED}"
