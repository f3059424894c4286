"""Glyphs: synthetic characters in Omniglot's layout, for a machine that cannot reach Omniglot.

A character is one to four strokes, each a cubic Bezier curve. Each drawing moves every control point a little, and
slants, stretches and shifts the whole. Results on glyphs say nothing about Omniglot.
"""

import io
from collections.abc import Iterator, Sequence
from math import comb
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import numpy as np
from PIL import Image, ImageDraw

from metaglot.datasets.dataset import SourceRecord, record_archive
from metaglot.datasets.omniglot_layout import OmniglotLayout
from metaglot.datasets.omniglot_zip import DRAWINGS, SIDE, content_sha256, read_drawings
from metaglot.datasets.progress_bar import NO_PROGRESS_BAR, ProgressBar

STROKES = 4  # at most
POINTS = 12  # of a stroke's polygon
WOBBLE = 0.09  # how far a hand moves a control point, in sides of the paper
PEN = 4  # pixels


class Glyphs(OmniglotLayout):
    """As many drawings, characters and alphabets as Omniglot has, in the same archives."""

    name = "glyphs (synthetic)"
    made_here = True

    def fetch(self, to: Path, root: Path, progress: ProgressBar = NO_PROGRESS_BAR) -> SourceRecord:
        """Draw the glyphs; alphabets are numbered on from the first archive to the second."""
        first, drawn = 1, {}
        for part in self.parts:
            path = to / f"{part.folder}.zip"
            write_archive(path, part.folder, sizes(part.characters, part.alphabets), first)
            content = content_sha256(read_drawings(path, part.folder, part.images))
            drawn[part.folder] = record_archive(path, part.images, content)
            first += part.alphabets
        return SourceRecord(dataset=self.name, source="generated", archives=drawn)


def write_archive(path: Path, folder: str, sizes: Sequence[int], first: int = 1, seed: int = 0) -> None:
    """Write an archive laid out as Omniglot's, the same bytes for the same arguments.

    sizes: characters of each alphabet, at most 99. first: the number of the first alphabet, which names it.
    """
    number = 0
    with ZipFile(path, "w") as archive:
        for alphabet, size in enumerate(sizes, start=first):
            for character, drawings in enumerate(characters(size, (seed, alphabet)), start=1):
                number += 1
                for hand, lines in enumerate(drawings, start=1):
                    name = f"Glyphs_{alphabet:02}/character{character:02}/{number:04}_{hand:02}.png"
                    archive.writestr(ZipInfo(f"{folder}/{name}"), png(lines))


def sizes(characters: int, alphabets: int) -> list[int]:
    """Deal characters to alphabets as evenly as can be."""
    return [characters // alphabets + (n < characters % alphabets) for n in range(alphabets)]


def characters(size: int, seed: tuple[int, int]) -> Iterator[list[list[np.ndarray]]]:
    """Yield an alphabet's characters; of each its 20 drawings, of each drawing its strokes, int [points, 2]."""
    random = np.random.default_rng(seed)
    reach = random.uniform(0.15, 0.3)  # an alphabet's own: how far its strokes run
    starts = random.uniform(0.35, 0.65, (size, STROKES, 1, 2))
    steps = random.normal(0, reach, (size, STROKES, 3, 2))
    controls = np.clip(np.concatenate([starts, starts + np.cumsum(steps, axis=2)], axis=2), 0.05, 0.95)
    strokes = random.integers(1, STROKES + 1, size)
    drawn = paper(random, controls[:, None] + random.normal(0, WOBBLE, (size, DRAWINGS, STROKES, 4, 2)))
    for lines, count in zip(drawn, strokes, strict=True):
        yield [list(drawing[:count]) for drawing in lines]


def paper(random: np.random.Generator, controls: np.ndarray) -> np.ndarray:
    """Trace curves and lay them on the paper as each hand does.

    controls: [characters, 20, strokes, 4, 2], the paper's side = 1. Returns int [..., points, 2], pixels.
    """
    t = np.linspace(0, 1, POINTS)[:, None]
    bernstein = np.concatenate([comb(3, k) * t**k * (1 - t) ** (3 - k) for k in range(4)], axis=1)
    shape = (*controls.shape[:2], 1)
    slant = np.eye(2) + random.normal(0, 0.16, (*shape, 2, 2))
    shift = 0.5 + random.normal(0, 0.07, (*shape, 1, 2))
    curves = (bernstein @ controls - 0.5) @ slant + shift
    return np.rint(np.clip(curves, 0, 1) * (SIDE - 1)).astype(int)


def png(strokes: list[np.ndarray]) -> bytes:
    """Draw strokes, int [points, 2], in black on white."""
    drawing = Image.new("1", (SIDE, SIDE), 1)
    pen = ImageDraw.Draw(drawing)
    for stroke in strokes:
        pen.line(stroke.ravel().tolist(), fill=0, width=PEN)
    buffer = io.BytesIO()
    drawing.save(buffer, "PNG", compress_level=1)  # the quickest
    return buffer.getvalue()
