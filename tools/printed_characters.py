"""Draw the characters of the world's scripts in print: a data set for `data.path`, with a group for each script.

    apt-get install fonts-noto-core fonts-noto-extra
    python -m tools.printed_characters FOLDER
    dvc exp run --temp -S data.path=FOLDER -S data.groups=folders

A class is a character, and each of its images shows it in another typeface or style. FOLDER must be an absolute path
for `--temp`.
"""

import random
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from fontTools.ttLib import TTFont
from PIL import Image, ImageDraw, ImageFont
from rich.progress import track

from metaglot.core.common.atomic_files import atomic_folder
from metaglot.core.common.errors import UserError
from stages.support.command_line import run_command

FONTS = Path("/usr/share/fonts/truetype/noto")
SIDE = 105  # pixels, as Omniglot's
LETTER_HEIGHT = 80  # of a font's size, in pixels
FEWEST, MOST = 10, 20  # images of a class
CLASSES = 40  # of a script, at most
SEED = 42  # of the choice where there are more
Fonts = list[Path]


def characters_by_script(fonts: Fonts) -> dict[str, dict[str, Fonts]]:
    """By script, the letters that at least ten font files have, each with these files."""
    having: dict[str, Fonts] = defaultdict(list)
    for font in track(fonts, "fonts", disable=not sys.stderr.isatty()):
        for letter in letters(font):
            having[letter].append(font)
    scripts: dict[str, dict[str, Fonts]] = defaultdict(dict)
    for letter, files in sorted(having.items()):
        if len(files) >= FEWEST:
            scripts[script_of(letter)][letter] = files
    return dict(sorted(scripts.items()))


def letters(font: Path) -> Iterator[str]:
    """The letters of a font file, except those that are made of others, such as an A with an accent."""
    try:
        open_font(font)
        with font.open("rb") as file, TTFont(file, lazy=True) as opened:
            codes = opened.getBestCmap() or {}
    except Exception:  # fontTools raises errors of many kinds for a damaged table
        print(f"{font} is damaged and left out", file=sys.stderr)
        return
    for code in codes:
        letter = chr(code)
        if unicodedata.category(letter) in ("Lo", "Lu", "Ll") and script_of(letter):
            if unicodedata.normalize("NFKD", letter) == letter:
                yield letter


def script_of(letter: str) -> str:
    """The script, from the letter's name in Unicode: `ARMENIAN CAPITAL LETTER AYB` is of Armenian. Empty if unknown."""
    name = unicodedata.name(letter, "")
    match = re.match(r"(.+?) (?:(?:CAPITAL|SMALL) )?(?:LETTER|SYLLABLE) ", name)
    return match[1].title().replace(" ", "_") if match else ""


def draw(letter: str, font: Path) -> Image.Image | None:
    """A letter in black on white, in the middle; None where the font draws nothing, or more than fits, or fails."""
    image = Image.new("L", (SIDE, SIDE), 255)
    try:
        face = open_font(font)
        left, top, right, bottom = face.getbbox(letter)
        if max(right - left, bottom - top) > SIDE:
            return None
        place = ((SIDE - right - left) / 2, (SIDE - bottom - top) / 2)
        ImageDraw.Draw(image).text(place, letter, fill=0, font=face)
    except OSError:  # FreeType's, of a damaged glyph
        return None
    return image if np.asarray(image).min() < 128 else None


@lru_cache(maxsize=256)
def open_font(font: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font, LETTER_HEIGHT)


def draw_class(letter: str, fonts: Fonts) -> dict[str, Image.Image]:
    """Up to twenty images of a letter that all differ, by the font's name."""
    images: dict[str, Image.Image] = {}
    shapes: set[bytes] = set()
    for font in fonts:
        image = draw(letter, font)
        if image is not None and image.tobytes() not in shapes:
            shapes.add(image.tobytes())
            images[_unused(font.stem, images)] = image
        if len(images) == MOST:
            break
    return images


def _unused(name: str, images: dict[str, Image.Image]) -> str:
    """The name, or a longer one if a font in another folder has it too."""
    while name in images:
        name += "-"
    return name


def write(folder: Path, scripts: dict[str, dict[str, Fonts]]) -> tuple[int, int, int]:
    """Write every class; returns the numbers of scripts, classes and images."""
    written: dict[str, int] = {}
    known: set[bytes] = set()
    total = sum(min(len(letters), CLASSES) for letters in scripts.values())
    with typer.progressbar(length=total, label="characters", file=sys.stderr) as progress:
        for script, of_script in scripts.items():
            chosen = random.Random(f"{SEED} {script}")
            for letter in sorted(chosen.sample(sorted(of_script), min(len(of_script), CLASSES))):
                progress.update(1)
                files = of_script[letter]
                images = draw_class(letter, chosen.sample(files, len(files)))
                shapes = {image.tobytes() for image in images.values()}
                if len(images) < FEWEST or shapes & known:  # a Greek capital alpha is a Latin A in print
                    continue
                known |= shapes
                place = folder / script / f"U+{ord(letter):04X}"
                place.mkdir(parents=True)
                for name, image in images.items():
                    image.save(place / f"{name}.png")
                written[f"{script}/{letter}"] = len(images)
    return len({name.partition("/")[0] for name in written}), len(written), sum(written.values())


def main(
    folder: Annotated[Path, typer.Argument(help="where to write: a folder that is not there yet")],
    fonts: Annotated[Path, typer.Option(help="a folder of .ttf and .otf files, at any depth")] = FONTS,
) -> None:
    """Draw each letter that at least ten font files have: a folder for each script, with a folder for each letter."""
    if folder.exists():
        raise UserError(f"{folder} is there already: name a folder that is not")
    files = sorted(path for path in fonts.rglob("*") if path.suffix.lower() in (".ttf", ".otf"))
    if not files:
        raise UserError(f"{fonts} holds no .ttf or .otf file: apt-get install fonts-noto-core fonts-noto-extra")
    scripts = characters_by_script(files)
    if not scripts:
        raise UserError(f"{fonts}: no letter is in {FEWEST} of {len(files)} font files")
    with atomic_folder(folder) as beside:
        counts = write(beside, scripts)
    print(f"{folder}: {counts[1]:,} characters of {counts[0]} scripts, {counts[2]:,} images, from {len(files):,} fonts")


if __name__ == "__main__":
    run_command(main)
