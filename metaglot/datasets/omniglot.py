"""Omniglot: fetched from a mirror or from its authors, and verified.

B. M. Lake, R. Salakhutdinov, J. B. Tenenbaum, "Human-level concept learning through probabilistic program
induction", Science 350, 2015. https://github.com/brendenlake/omniglot

The functions that use the network are imported when they are called: the library needs no package for them.
"""

from pathlib import Path

from PIL import Image

from metaglot.datasets.dataset import SourceRecord
from metaglot.datasets.omniglot_layout import OmniglotLayout
from metaglot.datasets.progress_bar import NO_PROGRESS_BAR, ProgressBar


class Omniglot(OmniglotLayout):
    """32,460 drawings of 1,623 characters, in shades of grey."""

    name = "omniglot"

    def fetch(self, to: Path, root: Path, progress: ProgressBar = NO_PROGRESS_BAR) -> SourceRecord:
        from metaglot.datasets.omniglot_download import fetch_archives

        source, archives = fetch_archives(self.parts, to, root, progress)
        return SourceRecord(dataset=self.raw_name, source=source, archives=archives)

    def check_source(self, root: Path) -> str:
        from metaglot.datasets.omniglot_download import check_archives

        return check_archives(self.archives, root)


class OmniglotNearest(Omniglot):
    """The same drawings, shrunk to black and white.

    The code of Finn et al. 2017 asks for the same filter, but applies it to the one-bit drawing, where Pillow takes the
    nearest pixel whatever filter is given: strokes get steps and lose their grey.
    """

    name = "omniglot-nearest"
    fetched_as = "omniglot"
    resampling = Image.Resampling.NEAREST
