"""What the repository holds of the draw page is what its code makes."""

import re

from params_file import ROOT

from metaglot.report.draw_page.bundle import bundle
from metaglot.report.draw_page.render import GLYPHS, HERE
from metaglot.report.html.environment import script_hash
from tools.draw_page import COPY, glyphs_text


def test_the_glyphs_are_the_synthetic_data_set_s():
    assert GLYPHS.read_text() == glyphs_text()


def test_the_copy_in_docs_has_the_scripts_and_the_style_of_now():
    page = (ROOT / COPY).read_text()
    script = "\n" + bundle("page.js")
    assert f'<script type="module">{script}</script>' in page and script_hash(script) in page
    assert (HERE / "page.css").read_text() in page


def test_the_copy_in_docs_has_no_picture():
    page = (ROOT / COPY).read_text()
    assert not re.search("data:image|<img|<svg", page)
