"""The pages docs/findings.md and docs/benchmarks.md: text written by hand, with generated blocks.

A block is between `<!-- table: NAME -->` and `<!-- /table -->`. NAME is an experiment's, `conclusions` or `open`.
"""

import re
from pathlib import Path

from experiments.conclusions import conclusions, open_questions
from experiments.declared import FINDINGS
from experiments.load_record import ExperimentRecord, load_records
from experiments.tables import experiment_block
from metaglot.core.common.atomic_files import read_text
from metaglot.core.common.errors import UserError

PAGES = (Path("docs/findings.md"), Path("docs/benchmarks.md"))
BLOCK = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)
OPENING = re.compile(r"<!-- table: (\S+) -->")


def fill_page(page: Path, findings: Path = FINDINGS) -> str:
    """A page's text with every block generated again."""
    text, known = read_text(page), load_records(findings)
    if OPENING.findall(text) != [name for _, name, _ in BLOCK.findall(text)]:
        raise UserError(f"{page}: a `<!-- table: NAME -->` has no `<!-- /table -->`")
    return BLOCK.sub(lambda match: f"{match[1]}\n{block_content(page, match[2], known)}\n\n{match[3]}", text)


def block_content(page: Path, name: str, known: dict[str, ExperimentRecord]) -> str:
    if name == "conclusions":
        return conclusions(known)
    if name == "open":
        return open_questions(known)
    if name not in known:
        raise UserError(f"{page}: <!-- table: {name} --> does not name an experiment")
    return experiment_block(known[name], known)
