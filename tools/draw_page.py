"""Write what the repository holds of the draw page: its glyphs, and the copy of the default runs' page in docs/.

    python -m tools.draw_page        needs data/report/draw.html (dvc repro, or dvc checkout)

The page shows glyphs and strokes only: no drawing of Omniglot is in it.
"""

import json

from metaglot.core.common.atomic_files import read_text, write_text
from metaglot.datasets import synthetic_glyphs
from metaglot.report.draw_page.render import GLYPHS
from stages.support import paths
from stages.support.command_line import run_command
from tools.screenshots import DOCS

COPY = DOCS.parent / "draw.html"
CHARACTERS, HANDS = 20, 10
ALPHABET = (0, 101)  # no archive of the synthetic data set has so many


def main() -> None:
    """Write the draw page's glyphs, and its copy in docs/."""
    write_text(GLYPHS, glyphs_text())
    write_text(COPY, read_text(paths.REPORT / "draw.html"))


def glyphs_text() -> str:
    """JSON [characters][drawings][strokes][points][x, y], a character a line."""
    hands = synthetic_glyphs.characters(CHARACTERS, ALPHABET)
    lines = [[[stroke.tolist() for stroke in drawing] for drawing in drawings[:HANDS]] for drawings in hands]
    return "[\n" + ",\n".join(json.dumps(line, separators=(",", ":")) for line in lines) + "\n]\n"


if __name__ == "__main__":
    run_command(main)
