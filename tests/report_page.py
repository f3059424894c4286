"""The report's page, its elements and what its charts are drawn from."""

import json
from html.parser import HTMLParser

import numpy as np
from finished_pipeline import CHARACTERS, Finished

from metaglot.core.tasks.split_parts import SplitPart
from metaglot.report.comparison import compare_runs
from metaglot.report.html.page import render_page

NAMES = [f"Some/character{i:02}" for i in range(CHARACTERS)]
PAPER = SplitPart(np.zeros((CHARACTERS, 20, 12, 12), np.uint8), NAMES)


class Elements(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] == "script" and not self.scripts[-1]:
            self.scripts[-1] = data
        else:
            self.text += data


def page_of(finished: Finished, experiment: str | None = None) -> str:
    return render_page(compare_runs(*finished, None), finished[1], PAPER, experiment)


def specifications(html: str) -> list[dict]:
    """What the page's charts are drawn from."""
    elements = Elements(html)
    kinds = [attributes.get("type") for tag, attributes in elements.tags if tag == "script"]
    return [json.loads(text) for kind, text in zip(kinds, elements.scripts, strict=True) if kind == "application/json"]


def words(html: str) -> str:
    """The page's text with one space between words."""
    return " ".join(Elements(html).text.split())
