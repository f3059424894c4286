"""Any image of a character becomes what the network knows: a drawing like Omniglot's, to the bit."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from draws import examples
from error_lines import error_line
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from trained_glyphs import drawings

from metaglot.core.common.errors import UserError
from metaglot.datasets.omniglot_layout import shrink_drawing
from metaglot.inference.user_images import UserImage, load_images

GLYPH = drawings(1, 0)[0][0]


def grey(drawing: Image.Image) -> np.ndarray:
    return np.asarray(drawing.convert("L"))


def on_glass(drawing: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    """Opaque ink of a colour on nothing."""
    image = Image.new("RGBA", drawing.size, (*colour, 0))
    image.putalpha(Image.fromarray(255 - grey(drawing)))
    return image


def png(image: Image.Image) -> Image.Image:
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return Image.open(buffer)


FORMS: dict[str, Callable[[Image.Image], UserImage]] = {
    "1": lambda drawing: drawing,
    "L": lambda drawing: drawing.convert("L"),
    "LA": lambda drawing: drawing.convert("LA"),
    "P": lambda drawing: drawing.convert("RGB").quantize(2),
    "RGB": lambda drawing: drawing.convert("RGB"),
    "RGBA": lambda drawing: drawing.convert("RGBA"),
    "CMYK": lambda drawing: drawing.convert("RGB").convert("CMYK"),
    "YCbCr": lambda drawing: drawing.convert("YCbCr"),
    "I": lambda drawing: drawing.convert("I"),
    "F": lambda drawing: drawing.convert("F"),
    "16 bits": lambda drawing: png(Image.fromarray(grey(drawing).astype(np.uint16) * 257)),
    "12 bits of 16": lambda drawing: png(Image.fromarray(grey(drawing).astype(np.uint16) * 16)),
    "negative": lambda drawing: Image.fromarray(255 - grey(drawing)),
    "white on black, one bit": lambda drawing: Image.fromarray(~np.asarray(drawing)),
    "red on blue": lambda drawing: Image.composite(
        Image.new("RGB", drawing.size, "navy"), Image.new("RGB", drawing.size, "red"), drawing
    ),
    "transparent": lambda drawing: on_glass(drawing, (0, 0, 0)),
    "white on transparent": lambda drawing: on_glass(drawing, (255, 255, 255)),
    "transparent in a palette": lambda drawing: png(on_glass(drawing, (200, 30, 30)).quantize(2)),
    "array of truths": lambda drawing: np.asarray(drawing),
    "array of bytes": grey,
    "array of floats": lambda drawing: grey(drawing) / 255,
    "array of logits": lambda drawing: np.where(np.asarray(drawing), -7.5, 3.25),
    "array with a channel": lambda drawing: grey(drawing)[..., None],
    "array of colours": lambda drawing: np.stack([grey(drawing)] * 3, -1),
    "array of floats in four channels": lambda drawing: np.asarray(drawing.convert("RGBA")) / 255,
}


def pixels(image: UserImage, size: int) -> np.ndarray:
    return load_images([image], size)[0].numpy()


@pytest.mark.parametrize("form", FORMS)
@examples(15)
@given(seed=st.integers(0, 2**32 - 1), share=st.floats(0.01, 0.4), size=st.integers(4, 105))
def test_a_one_bit_drawing_in_any_form_is_what_preprocessing_makes_of_it(
    form: str, seed: int, share: float, size: int
) -> None:
    drawing = Image.fromarray(np.random.default_rng(seed).random((105, 105)) >= share)
    expected = np.float32(shrink_drawing(drawing, size)) * np.float32(1 / 255)
    assert np.array_equal(pixels(FORMS[form](drawing), size), expected)


@examples(50)
@given(paper=st.integers(0, 255), black=st.integers(0, 255), size=st.integers(8, 40))
def test_grey_paper_and_faint_pencils_do_not_matter(paper: int, black: int, size: int) -> None:
    """Whatever the two levels, an anti-aliased drawing comes out the same but for what the levels round away."""
    sharp = grey(GLYPH.convert("L").resize((60, 60), Image.Resampling.BILINEAR)) / 255
    image = Image.fromarray(np.rint(black + (paper - black) * sharp).astype(np.uint8))
    if abs(paper - black) <= 16:
        with pytest.raises(UserError, match="image 1 shows nothing"):
            load_images([image], size)
    else:
        expected = pixels(Image.fromarray(np.rint(255 * sharp).astype(np.uint8)), size)
        assert np.abs(pixels(image, size) - expected).max() < 1 / abs(paper - black) + 2 / 255


@pytest.mark.parametrize(("width", "height"), [(40, 90), (91, 40), (1, 7), (300, 299)])
def test_an_image_that_is_not_square_is_filled_up_with_its_paper(width: int, height: int) -> None:
    image = np.full((height, width), 230, np.uint8)
    image[height // 3 : height // 2, : width // 3 + 1] = 20
    side = max(width, height)
    whole = np.full((side, side), 230, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    whole[top : top + height, left : left + width] = image
    assert np.array_equal(pixels(image, 28), pixels(whole, 28))


@pytest.mark.parametrize("size", [(10, 10), (28, 28), (105, 105), (2000, 2000)])
def test_ink_is_one_and_paper_is_nothing_at_any_size(size: tuple[int, int]) -> None:
    image = Image.new("L", size, 255)
    image.paste(0, (0, 0, size[0] // 2, size[1] // 3))
    images = load_images([image] * 2, 28)
    assert images.shape == (2, 28, 28) and (images[0] == images[1]).all()
    assert (images[:, 1:7, 1:10] > 0.9).all() and (images[:, 12:] < 0.1).all()


def test_what_is_cut_out_lies_on_paper_as_bright_as_its_own() -> None:
    """A scan with transparent corners: they are no ink."""
    scan = Image.fromarray((40 + grey(GLYPH) * 0.8).astype(np.uint8)).convert("RGBA")
    corners = Image.new("L", scan.size, 255)
    corners.paste(0, (0, 0, 20, 20))
    scan.putalpha(corners)
    whole = grey(GLYPH).copy()
    whole[:20, :20] = 255
    assert np.array_equal(pixels(scan, 28), pixels(whole, 28))


def test_a_photograph_is_turned_upright_as_its_camera_noted(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side: turn it clockwise to see it
    GLYPH.convert("L").transpose(Image.Transpose.ROTATE_90).save(tmp_path / "held.png", exif=exif)
    assert np.array_equal(pixels(tmp_path / "held.png", 28), pixels(GLYPH, 28))


def test_a_jpeg_is_nearly_what_was_drawn(tmp_path: Path) -> None:
    GLYPH.convert("RGB").save(tmp_path / "photo.jpeg", quality=90)
    assert np.abs(pixels(str(tmp_path / "photo.jpeg"), 28) - pixels(GLYPH, 28)).max() < 0.15


def test_an_image_is_left_as_it_was() -> None:
    image, array = GLYPH.convert("P"), grey(GLYPH).copy()
    load_images([image, array], 28)
    assert image.mode == "P" and image.size == (105, 105) and np.array_equal(array, grey(GLYPH))


NOISE = np.random.default_rng(0).integers(240, 256, (50, 50), dtype=np.uint8)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (Image.new("L", (30, 20), 255), "image 1 shows nothing: it is one even surface"),
        (Image.new("RGBA", (30, 20)), "image 1 shows nothing"),
        (Image.fromarray(NOISE), "image 1 shows nothing"),
        (np.zeros((4, 4), np.uint16), "image 1 shows nothing"),
        (np.zeros(5), "image 1 is an array of shape 5; takes height x width, or height x width x 1 to 4"),
        (np.zeros((3, 28, 28)), "image 1 is an array of shape 3x28x28"),
        (np.zeros((0, 5)), "image 1 is an array of shape 0x5"),
        (np.full((5, 5), np.nan), "image 1 has values that are not finite numbers (float64"),
        (np.array([["a"]]), "image 1 is an array of <U1; takes numbers"),
        (np.full((5, 5, 3), 300), "image 1 is an array of colours of int64; takes bytes, or floats from 0 to 1"),
        (np.full((5, 5, 3), 1.5), "image 1 is an array of colours of float64; takes bytes"),
        ([[0, 1], [2]], "image 1 is a list, not an image"),
        (None, "image 1 is a NoneType, not an image: pass a path"),
        (BytesIO(), "image 1 is a BytesIO, not an image: pass a path"),
        (np.array([[0, 1e300]]), "image 1 has values beyond 1e+30"),
        ("", "'' is not there"),
        ("nowhere.png", "nowhere.png is not there"),
        (Path("/"), "/ is a folder, not an image file"),
    ],
)
def test_what_is_no_image_of_a_character_is_refused_in_one_line(image: UserImage, message: str) -> None:
    assert message in error_line(lambda: load_images([image], 28))


@pytest.mark.parametrize("image", ["a.png", Path("a.png"), GLYPH])
def test_one_image_in_place_of_a_list_is_refused(image: UserImage) -> None:
    with pytest.raises(UserError, match="is one image; pass a list of images"):
        load_images(image, 28)  # type: ignore[arg-type]


def test_no_images_are_none() -> None:
    assert load_images([], 28).shape == (0, 28, 28)


WHOLE = BytesIO()
GLYPH.save(WHOLE, "PNG")


@examples(100)
@given(place=st.integers(0, 2000), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_file_is_refused_by_name_or_read(
    place: int, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path, content = tmp_path_factory.getbasetemp() / "damaged.png", bytearray(WHOLE.getvalue())
    content[place % len(content)] = byte
    path.write_bytes(content[:place] if cut else content)
    try:
        images = load_images([path], 28)
    except UserError as refused:
        assert str(refused).startswith(str(path)) and "\n" not in str(refused)
    else:
        assert images.shape == (1, 28, 28) and images.isfinite().all()
