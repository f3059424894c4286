"""The pages of findings: prose written by hand, around blocks of tables that are made from what is recorded.

A block stands between `<!-- table: NAME -->` and `<!-- /table -->`. NAME is an experiment's, `conclusions` or `open`.
"""

import re
from pathlib import Path

from experiments.conclusions import conclusions, unsettled
from experiments.load_record import FINDINGS, Recorded, recorded
from experiments.tables import block
from metaglot.core.common.atomic_files import read_text, write_text
from metaglot.core.common.errors import UserError

PAGES = (Path("docs/findings.md"), Path("docs/benchmarks.md"))
BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)
OPENING = re.compile(r"<!-- table: (\S+) -->")


def write(page: Path, findings: Path = FINDINGS) -> None:
    write_text(page, filled(page, findings))


def filled(page: Path, findings: Path = FINDINGS) -> str:
    """A page's text with every block made anew; a block of something unknown, or without an end, is refused."""
    text, known = read_text(page), recorded(findings)
    if OPENING.findall(text) != [name for _, name, _ in BLOCK.findall(text)]:
        raise UserError(f"{page}: not every `<!-- table: NAME -->` is ended by `<!-- /table -->`")
    return BLOCK.sub(lambda found: f"{found[1]}\n{content(page, found[2], known)}\n\n{found[3]}", text)


def content(page: Path, name: str, known: dict[str, Recorded]) -> str:
    if name == "conclusions":
        return conclusions(known)
    if name == "open":
        return unsettled(known)
    if name not in known:
        raise UserError(f"{page}: <!-- table: {name} --> names no experiment")
    return block(known[name], known)
