"""Image files of any size are read in bounded memory; errors begin with the file's name."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from error_lines import error_line
from params_file import ROOT
from PIL import Image
from trained_glyphs import drawings

from metaglot.core.common.errors import UserError
from metaglot.datasets import image_files
from metaglot.inference.user_images import load_images

MEASURE = """
import re, sys
from metaglot.inference.user_images import load_images

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

open("/proc/self/clear_refs", "w").write("5")  # from here on
before = peak()
images = load_images([sys.argv[1]], 28)
print(peak() - before, ((images[0] > 0.9) == (load_images([sys.argv[2]], 28)[0] > 0.9)).all().item())
"""


def blot(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A dark rectangle on light paper."""
    image = Image.new("RGB", (width, height), (250, 240, 230))
    image.paste((20, 20, 90), (width // 4, height // 8, width // 2, height // 2))
    return image.convert(mode, dither=Image.Dither.NONE)


LARGE: dict[str, tuple[str, dict[str, object], int]] = {  # mode, how it is saved, MiB
    "photo.jpg": ("RGB", {}, 250),
    "photo.png": ("RGB", {"compress_level": 1}, 600),
    "bits.tif": ("1", {"compression": "group4"}, 300),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measured as Linux does")
@pytest.mark.parametrize("name", LARGE)
def test_a_photograph_of_12_000_by_8_000_pixels_is_read_in_bounded_memory(name: str, tmp_path: Path) -> None:
    mode, options, bound = LARGE[name]
    blot(12_000, 8_000, mode).save(tmp_path / name, **options)
    blot(1_200, 800).save(tmp_path / "small.png")
    command = [sys.executable, "-c", MEASURE, tmp_path / name, tmp_path / "small.png"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    used, alike = done.stdout.split()
    assert alike == "True" and float(used) < bound


def test_a_photograph_of_200_million_pixels_is_read(tmp_path: Path) -> None:
    blot(16_320, 12_240, "L").save(tmp_path / "telephone.jpg")
    assert (load_images([tmp_path / "telephone.jpg"], 28)[0, 7:14, 8:13] > 0.9).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F"])
def test_an_image_that_is_reduced_looks_like_one_that_is_not(
    mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    glyph = drawings(1, 0)[0][0].convert("L").resize((735, 735))
    image = glyph.convert("RGB").quantize(8) if mode == "P" else glyph.convert(mode)
    image.save(tmp_path / "glyph.tif")
    whole = load_images([tmp_path / "glyph.tif"], 28)
    monkeypatch.setattr(image_files, "MAX_SIDE", 250)
    reduced = load_images([tmp_path / "glyph.tif", np.asarray(glyph)], 28)
    assert (reduced - whole).abs().max() < 0.1 and (reduced - whole).abs().max() > 0


def test_a_large_photograph_is_rotated_by_its_exif_orientation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    monkeypatch.setattr(image_files, "MAX_SIDE", 250)
    for name in ("held.jpg", "held.png", "held.tif"):
        blot(600, 900).transpose(Image.Transpose.ROTATE_90).save(tmp_path / name, exif=exif)
        difference = load_images([tmp_path / name], 28) - load_images([blot(600, 900)], 28)
        assert difference.abs().max() < 0.1


def test_a_long_thin_image_is_reduced_before_it_is_padded_to_a_square() -> None:
    line = np.full((3, 60_000), 255, np.uint8)
    line[:, :20_000] = 0
    images = load_images([line, Image.fromarray(line)], 28)
    assert images.shape == (2, 28, 28) and images.max() > 0


@pytest.mark.parametrize(("side", "has"), [(20_000, "20000x20000 pixels, more"), (30_000, "more pixels")])
def test_a_decompression_bomb_is_refused_with_the_bound(side: int, has: str, tmp_path: Path) -> None:
    Image.new("1", (side, side), 1).save(tmp_path / "bomb.png", compress_level=1)
    line = error_line(lambda: load_images([tmp_path / "bomb.png"], 28))
    assert f"bomb.png has {has} than the limit of 125,000,000: reduce it first" in line


def test_pillow_s_own_limit_stays_as_the_user_set_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    blot(90, 60).save(tmp_path / "small.png")
    assert load_images([tmp_path / "small.png"], 28).shape == (1, 28, 28) and Image.MAX_IMAGE_PIXELS == 100


def floats(path: Path) -> None:
    values = np.asarray(blot(20, 20, "F")).copy()
    values[3, 4] = np.nan
    Image.fromarray(values).save(path, "TIFF")


def cut_short(path: Path) -> None:
    blot(300, 300).save(path, "PNG", compress_level=0)
    path.write_bytes(path.read_bytes()[:5000])


def is_written(content: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (floats, "has values that are not finite numbers"),
        (lambda path: blot(20, 20).point(lambda _: 7).save(path, "PNG"), "shows nothing: it is one even surface"),
        (cut_short, "is not a readable image: it is damaged or incomplete"),
        (is_written(b"\x89PNG\r\n\x1a\n"), "is not a readable image: it is damaged, or its format is none of PNG"),
        (is_written(b"hello"), "is not a readable image"),
        (is_written(b""), "is empty"),
        (Path.mkdir, "is a folder, not an image file"),
        (os.mkfifo, "is not a regular file"),
        (lambda path: path.symlink_to("nowhere"), "is not there"),
        (is_written(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"), "is a file of the format HEIC, which is not supported"),
        (is_written(b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"), "is a file of the format HEIC"),
        (
            is_written(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n%%EOF"),
            ".* format EPS.* not supp",
        ),
        (is_written(b"%!PS-Adobe-3.0 EPSF-3.0\n"), "is a file of the format EPS"),
        (is_written(b'<?xml version="1.0"?>\n<svg width="9" height="9"/>'), "is a file of the format SVG"),
        (is_written(b"<!--" + 9_000 * b"x" + b"--><svg>"), "is a file of the format SVG"),
        (is_written("<SVG>".encode("utf-16")), "is a file of the format SVG"),
        (is_written(b"<!doctype html><html><svg></svg>"), "is a file of the format HTML"),
        (is_written(b"8BPS\0\1"), "is a file of the format Photoshop"),
        (is_written(b"%PDF-1.7\n"), "is a file of the format PDF, .*; save it as one of PNG, JPEG, TIFF"),
        (is_written(b"PK\x03\x04"), "is a file of the format ZIP"),
        (is_written(b"GRIB\0\0\0\x01"), "is a file of the format GRIB, which is not supported"),
    ],
)
def test_the_error_about_a_file_begins_with_its_name(
    make: Callable[[Path], object], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "one of hundreds"
    make(path)
    line = error_line(lambda: load_images([blot(30, 30), path, blot(30, 30)], 28))
    assert line.startswith(f"{path} ") and re.search(message, line)


def test_an_opened_file_is_named_and_any_other_image_has_its_place(tmp_path: Path) -> None:
    cut_short(tmp_path / "cut.png")
    with Image.open(tmp_path / "cut.png") as opened, pytest.raises(UserError, match=f"^{tmp_path}/cut.png "):
        load_images([blot(30, 30), opened], 28)
    with pytest.raises(UserError, match="^image 2 "):
        load_images([blot(30, 30), np.zeros((4, 4))], 28)
